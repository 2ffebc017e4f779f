// See file_locks.h. Nothing here sleeps but wait(): between the look at what is held and the sleep
// nobody can let go unheard.
#include "guest/vfs/file_locks.h"

#include <algorithm>
#include <new>

#include "guest/vfs/inode.h"

namespace guest {

constinit LockedFiles locked_files;

namespace {

using Kind = LockRange::Kind;

/// Range and type aside, `lock` could be a part of one lock with `range`.
bool same_holder(const LockRange& lock, const LockRange& range) {
  return lock.owner == range.owner && lock.kind == range.kind;
}

bool adjoins(const LockRange& lock, const LockRange& range) {
  return (lock.last != LockRange::to_the_end && lock.last + 1 == range.first) ||
         (range.last != LockRange::to_the_end && range.last + 1 == lock.first);
}

/// Whom an owner of POSIX locks waits for; nullptr: nobody of this kind. As Linux, which takes an
/// owner to be one thread, the first of its waits counts.
const void* awaited_by(const void* owner) {
  for (FileLocks& file : locked_files.files)
    for (LockWaiter& waiter : file.waiters) {
      if (waiter.owner != owner) continue;
      const FileLock* other = FileLocks::against(file.inode, waiter);
      return other && other->kind == Kind::process ? other->owner : nullptr;
    }
  return nullptr;
}

/// Does the owner of `other` wait, through others maybe, for who wants a lock now? Chains longer
/// than this are not followed to their end, as on Linux.
bool closes_circle(const LockRange& wanted, const FileLock& other) {
  constexpr int longest = 10;
  if (wanted.kind != Kind::process || other.kind != Kind::process) return false;
  const void* owner = other.owner;
  for (int i = 0; i <= longest && owner; ++i) {
    owner = awaited_by(owner);
    if (owner == wanted.owner) return true;
  }
  return false;
}

Result<FileLock*> make_lock(const LockRange& range, bool is_root) {
  const std::uint32_t room = FileLocks::most + (is_root ? FileLocks::more_for_root : 0);
  auto* lock = locked_files.locks < room ? new (std::nothrow) FileLock(range) : nullptr;
  if (!lock) return Errno::nolck;
  ++locked_files.locks;
  return lock;
}

void free_lock(FileLock* lock) {
  delete lock;
  --locked_files.locks;
}

}  // namespace

Result<> FileLocks::take(Inode& inode, const LockRange& wanted, bool waits, bool is_root) {
  if (!inode.locks_) {
    auto* locks = new (std::nothrow) FileLocks(inode);
    if (!locks) return Errno::nolck;
    inode.locks_ = locks;
    locked_files.files.push_back(*locks);
  }
  FileLocks& locks = *inode.locks_;
  auto outcome = locks.take(wanted, waits, is_root);
  locks.leave_if_unused();
  return outcome;
}

Result<> FileLocks::release(Inode& inode, const LockRange& range, bool is_root) {
  FileLocks* locks = inode.locks_;
  if (!locks) return {};
  auto outcome = locks->replace(range, false, is_root);
  locks->leave_if_unused();
  return outcome;
}

void FileLocks::release_all(Inode& inode, const void* owner) {
  FileLocks* locks = inode.locks_;
  if (!locks) return;
  bool frees = false;
  for (FileLock& lock : locks->locks) {
    if (lock.owner != owner) continue;
    locks->remove(lock);
    frees = true;
  }
  if (frees) locks->changed_.notify();
  locks->leave_if_unused();
}

const FileLock* FileLocks::against(Inode& inode, const LockRange& wanted) {
  return inode.locks_ ? inode.locks_->against(wanted) : nullptr;
}

const FileLock* FileLocks::held(Inode& inode, const LockRange& range) {
  if (!inode.locks_) return nullptr;
  for (const FileLock& lock : inode.locks_->locks)
    if (same_holder(lock, range) && lock.overlaps(range)) return &lock;
  return nullptr;
}

const FileLock* FileLocks::against(const LockRange& wanted) {
  for (const FileLock& lock : locks)
    if (lock.excludes(wanted)) return &lock;
  return nullptr;
}

Result<> FileLocks::take(const LockRange& wanted, bool waits, bool is_root) {
  if (wanted.kind == Kind::whole) {
    const FileLock* own = held(inode, wanted);
    if (own && own->exclusive == wanted.exclusive) return {};
    TRY(replace(wanted, false, is_root));  // others may come between, as on Linux
  }
  while (const FileLock* other = against(wanted)) {
    if (!waits) return Errno::again;
    if (closes_circle(wanted, *other)) return Errno::deadlk;
    TRY(wait(wanted));
  }
  return replace(wanted, true, is_root);
}

// He is on the heap: those who look for circles reach him while he sleeps.
Result<> FileLocks::wait(const LockRange& wanted) {
  auto* waiter = new (std::nothrow) LockWaiter(wanted, *this);
  if (!waiter) return Errno::nolck;
  waiters.push_back(*waiter);
  auto slept = changed_.wait();
  waiter->node.unlink();
  delete waiter;
  return slept;
}

// Takes the range away from a lock of the owner's. `tail`: for what is left behind it, if something
// is left before it, too.
void FileLocks::cut(FileLock& lock, const LockRange& range, FileLock* tail) {
  const bool keeps_head = lock.first<range.first, keeps_tail = lock.last> range.last;
  if (keeps_head && keeps_tail) {
    static_cast<LockRange&>(*tail) = lock;
    tail->first = range.last + 1;
  }
  if (keeps_head)
    lock.last = range.first - 1;
  else if (keeps_tail)
    lock.first = range.last + 1;
  else
    remove(lock);
}

// The owner's locks lose what lies in the range, but for those of the new one's type that touch it:
// they become one with it. What is needed is made before anything changes.
Result<> FileLocks::replace(const LockRange& range, bool takes, bool is_root) {
  auto joins = [&](const FileLock& lock) {
    return takes && lock.exclusive == range.exclusive &&
           (lock.overlaps(range) || adjoins(lock, range));
  };
  bool splits = false, frees = false;
  for (const FileLock& lock : locks) {
    if (!same_holder(lock, range) || joins(lock) || !lock.overlaps(range)) continue;
    frees = true;
    splits = lock.first < range.first && lock.last > range.last;  // then it is the only one
  }
  FileLock* added = takes ? TRY(make_lock(range, is_root)) : nullptr;
  FileLock* tail = nullptr;
  if (splits) {
    auto made = make_lock(range, is_root);
    if (!made.ok() && added) free_lock(added);
    tail = TRY(std::move(made));
  }
  for (FileLock& lock : locks) {
    if (!same_holder(lock, range)) continue;
    if (joins(lock)) {
      added->first = std::min(added->first, lock.first);
      added->last = std::max(added->last, lock.last);
      remove(lock);
    } else if (lock.overlaps(range)) {
      cut(lock, range, tail);
    }
  }
  if (added) insert(*added);
  if (tail) insert(*tail);
  if (frees) changed_.notify();
  return {};
}

// An owner's locks lie together, in the order of their ranges; owners, in which they came.
void FileLocks::insert(FileLock& lock) {
  FileLock* behind = nullptr;
  bool among_own = false;
  for (FileLock& other : locks) {
    const bool own = other.owner == lock.owner;
    if (own ? other.first > lock.first : among_own) break;
    among_own = among_own || own;
    behind = &other;
  }
  if (behind)
    Locks::insert_behind(*behind, lock);
  else
    locks.push_front(lock);
}

void FileLocks::remove(FileLock& lock) {
  lock.node.unlink();
  free_lock(&lock);
}

void FileLocks::leave_if_unused() {
  if (!locks.empty() || !waiters.empty()) return;
  inode.locks_ = nullptr;
  node.unlink();
  delete this;
}

}  // namespace guest
