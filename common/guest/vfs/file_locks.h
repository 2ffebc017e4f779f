// Locks on files: flock's, which are of a whole file, and fcntl's, of ranges of bytes. They bind
// nobody but those who ask for one. Asked by the system calls (syscall/lock_calls.cpp); File and
// FileTable tell when an owner lets go.
#pragma once

#include <cstdint>
#include <limits>

#include "guest/base/list.h"
#include "guest/base/result.h"
#include "guest/heap/heap.h"
#include "guest/sched/wait_queue.h"

namespace guest {

class Inode;

/// A lock that is held, or that somebody wants.
struct LockRange {
  /// Those of whole files know nothing of the two others.
  enum class Kind : std::uint8_t {
    whole,        // flock: an open file description's
    process,      // POSIX: a table of descriptors'
    description,  // OFD: an open file description's
  };
  static constexpr std::int64_t to_the_end = std::numeric_limits<std::int64_t>::max();

  Kind kind;
  bool exclusive;
  const void* owner;  // a File, or a FileTable
  int pid;            // of the process that asked
  std::int64_t first = 0, last = to_the_end;

  [[nodiscard]] bool overlaps(const LockRange& other) const {
    return first <= other.last && other.first <= last;
  }
  /// Cannot both be held.
  [[nodiscard]] bool excludes(const LockRange& other) const {
    return (kind == Kind::whole) == (other.kind == Kind::whole) && owner != other.owner &&
           (exclusive || other.exclusive) && overlaps(other);
  }
};

struct FileLock : LockRange, Allocated<HeapKind::file> {
  explicit FileLock(const LockRange& range) : LockRange(range) {}
  ListNode node;
};

class FileLocks;

/// Somebody asleep until he gets one.
struct LockWaiter : LockRange, Allocated<HeapKind::file> {
  LockWaiter(const LockRange& range, FileLocks& file) : LockRange(range), file(file) {}
  FileLocks& file;
  ListNode node;
  bool shown = false;  // in a list for /proc
};

/// The locks of one inode; there for as long as somebody holds one or waits for one, and those have
/// the file open.
class FileLocks : public Allocated<HeapKind::file> {
 public:
  static constexpr std::uint32_t most = 8192, more_for_root = 512;

  /// Takes a lock, in place of what its owner has there. `waits`: until nobody stands against it.
  /// EAGAIN, EDEADLK, ENOLCK, or as Scheduler::block.
  static Result<> take(Inode& inode, const LockRange& wanted, bool waits, bool is_root);
  /// What the owner has of this range. ENOLCK: it would leave two, and there is no room.
  static Result<> release(Inode& inode, const LockRange& range, bool is_root);
  /// All that an owner has here: it lets go of the file.
  static void release_all(Inode& inode, const void* owner);
  /// The first lock held that stands against this one. nullptr: none does.
  static const FileLock* against(Inode& inode, const LockRange& wanted);
  /// The first that its owner holds of this range.
  static const FileLock* held(Inode& inode, const LockRange& range);

  // -- For /proc.
  ListNode node;
  Inode& inode;
  using Locks = List<FileLock, &FileLock::node>;
  using Waiters = List<LockWaiter, &LockWaiter::node>;
  Locks locks;
  Waiters waiters;

  explicit FileLocks(Inode& inode) : inode(inode) {}

 private:
  [[nodiscard]] const FileLock* against(const LockRange& wanted);
  Result<> take(const LockRange& wanted, bool waits, bool is_root);
  Result<> replace(const LockRange& range, bool takes, bool is_root);
  Result<> wait(const LockRange& wanted);
  void cut(FileLock& lock, const LockRange& range, FileLock* tail);
  void insert(FileLock& lock);
  void remove(FileLock& lock);
  void leave_if_unused();

  WaitQueue changed_;
};

/// All files that have locks.
struct LockedFiles {
  List<FileLocks, &FileLocks::node> files;
  std::uint32_t locks = 0;
};
extern LockedFiles locked_files;

}  // namespace guest
