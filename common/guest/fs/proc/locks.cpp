// /proc/locks, and what /proc/PID/fdinfo says of locks: see locks.h. Lines are Linux's.
#include "guest/fs/proc/locks.h"

#include "guest/fs/proc/node.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/file_locks.h"

namespace guest {
namespace {

/// `mark`: before one that is only wanted.
Result<> add_lock(String& text, unsigned number, const char* mark, const LockRange& lock,
                  Inode& inode) {
  using Kind = LockRange::Kind;
  const char* kind = lock.kind == Kind::whole     ? "FLOCK  ADVISORY "
                     : lock.kind == Kind::process ? "POSIX  ADVISORY "
                                                  : "OFDLCK ADVISORY ";
  const Stat of = inode.stat();
  TRY(add(text, "%u: %s%s %s %d %02x:%02x:%lu %ld ", number, mark, kind,
          lock.exclusive ? "WRITE" : "READ", lock.pid, device_major(of.device),
          device_minor(of.device), of.inode, lock.first));
  return lock.last == LockRange::to_the_end ? text.append("EOF\n") : add(text, "%ld\n", lock.last);
}

}  // namespace

Result<String> machine_locks() {
  String text(HeapKind::file);
  unsigned number = 0;
  for (FileLocks& file : locked_files.files) {
    for (LockWaiter& waiter : file.waiters) waiter.shown = false;
    for (FileLock& lock : file.locks) {
      TRY(add_lock(text, ++number, "", lock, file.inode));
      for (LockWaiter& waiter : file.waiters) {
        if (waiter.shown || !lock.excludes(waiter)) continue;
        waiter.shown = true;
        TRY(add_lock(text, number, "-> ", waiter, file.inode));
      }
    }
  }
  return text;
}

Result<> add_locks_of(String& text, File& file, const FileTable& table) {
  unsigned number = 0;
  for (FileLocks& locked : locked_files.files) {
    if (&locked.inode != &file.inode()) continue;
    for (FileLock& lock : locked.locks) {
      if (lock.owner != &file && lock.owner != &table) continue;
      TRY(text.append("lock:\t"));
      TRY(add_lock(text, ++number, "", lock, locked.inode));
    }
  }
  return {};
}

}  // namespace guest
