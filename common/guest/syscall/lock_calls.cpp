// System calls for locks on files: flock, and the commands of fcntl. Who may have what is
// vfs/file_locks.h's part; here are the arguments.
#include "guest/syscall/lock_calls.h"

#include "guest/abi/file_flags.h"
#include "guest/abi/file_structs.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/vfs/file_locks.h"

namespace guest {
namespace {

using Kind = LockRange::Kind;

bool is_root() {
  return current_caller().is_root();
}

/// The bytes that a program means: it counts from the file's start, its position or its end, and
/// backwards if it likes.
Result<> set_range(LockRange& range, File& file, const abi::FileLock& asked) {
  constexpr std::int64_t most = LockRange::to_the_end;
  std::int64_t base = 0;
  switch (asked.whence) {
    case abi::seek_set:
      break;
    case abi::seek_cur:
      base = static_cast<std::int64_t>(file.position);
      break;
    case abi::seek_end:
      base = static_cast<std::int64_t>(file.inode().stat().size);
      break;
    default:
      return Errno::inval;
  }
  if (asked.start > most - base) return Errno::overflow;
  range.first = base + asked.start;
  if (range.first < 0) return Errno::inval;
  range.last = most;
  if (asked.length > 0) {
    if (asked.length - 1 > most - range.first) return Errno::overflow;
    range.last = range.first + (asked.length - 1);
  } else if (asked.length < 0) {
    if (range.first + asked.length < 0) return Errno::inval;
    range.last = range.first - 1;
    range.first += asked.length;
  }
  return {};
}

bool of_description(int command) {
  return command == abi::f_ofd_getlk || command == abi::f_ofd_setlk || command == abi::f_ofd_setlkw;
}

Result<LockRange> range_argument(File& file, FileTable& table, int command,
                                 const abi::FileLock& asked) {
  const bool description = of_description(command);
  LockRange range{description ? Kind::description : Kind::process, asked.type == abi::f_wrlck,
                  description ? static_cast<const void*>(&file) : &table,
                  description ? -1 : current_process().pid};
  TRY(set_range(range, file, asked));
  if (asked.type < abi::f_rdlck || asked.type > abi::f_unlck) return Errno::inval;
  return range;
}

/// F_GETLK: the first lock that stands against it. To ask for F_UNLCK, as descriptions may, is to
/// ask for one's own.
Result<std::int64_t> get_lock(File& file, const Args& args) {
  const int command = args.i32(1);
  auto asked = TRY(get_user<abi::FileLock>(args.user(2)));
  if (!of_description(command) && asked.type != abi::f_rdlck && asked.type != abi::f_wrlck)
    return Errno::inval;
  Ref<FileTable> table(current_process().files.get());
  const LockRange range = TRY(range_argument(file, *table, command, asked));
  if (of_description(command) && asked.pid != 0) return Errno::inval;
  const FileLock* other = asked.type == abi::f_unlck ? FileLocks::held(file.inode(), range)
                                                     : FileLocks::against(file.inode(), range);
  asked.type = abi::f_unlck;
  if (other) {
    asked.type = other->exclusive ? abi::f_wrlck : abi::f_rdlck;
    asked.whence = abi::seek_set;
    asked.start = other->first;
    asked.length = other->last == LockRange::to_the_end ? 0 : other->last - other->first + 1;
    asked.pid = other->pid;
  }
  return as_zero(put_user(args.user(2), asked));
}

/// F_SETLK and F_SETLKW.
Result<std::int64_t> set_lock(File& file, const Args& args) {
  const int command = args.i32(1);
  const auto asked = TRY(get_user<abi::FileLock>(args.user(2)));
  Ref<FileTable> table(current_process().files.get());  // another thread may leave it meanwhile
  const LockRange range = TRY(range_argument(file, *table, command, asked));
  if (asked.type == abi::f_rdlck && !abi::may_read(file.flags)) return Errno::badf;
  if (asked.type == abi::f_wrlck && !abi::may_write(file.flags)) return Errno::badf;
  if (of_description(command) && asked.pid != 0) return Errno::inval;
  if (asked.type == abi::f_unlck)
    return as_zero(FileLocks::release(file.inode(), range, is_root()));
  const bool waits = command == abi::f_setlkw || command == abi::f_ofd_setlkw;
  TRY(FileLocks::take(file.inode(), range, waits, is_root()));
  if (range.kind == Kind::description) return std::int64_t{0};
  // Whoever has closed the descriptor meanwhile has let go of locks that were not there yet.
  auto now = table->get(args.i32(0));
  if (now.ok() && now.value().get() == &file) return std::int64_t{0};
  TRY(FileLocks::release(file.inode(), range, is_root()));
  return Errno::badf;
}

/// As of a file system that has no leases.
Result<std::int64_t> set_lease(File& file, std::int32_t type) {
  if (type == abi::f_unlck) return Errno::again;
  if (file.inode().is(mode_regular) && !check_owner(file.inode(), current_caller()).ok())
    return Errno::acces;
  return Errno::inval;
}

}  // namespace

Result<std::int64_t> lock_command(File& file, const Args& args) {
  switch (args.i32(1)) {
    case abi::f_getlk:
    case abi::f_ofd_getlk:
      return get_lock(file, args);
    case abi::f_setlk:
    case abi::f_setlkw:
    case abi::f_ofd_setlk:
    case abi::f_ofd_setlkw:
      return set_lock(file, args);
    case abi::f_getlease:
      return std::int64_t{abi::f_unlck};
    case abi::f_setlease:
      return set_lease(file, args.i32(2));
    default:
      return Errno::inval;
  }
}

Result<std::int64_t> sys_flock(const Args& args) {
  constexpr std::uint32_t shared = 1, exclusive = 2, nonblocking = 4, unlock = 8, mandatory = 32;
  if (args.u32(1) & mandatory) return std::int64_t{0};  // no longer served; Linux says so nowhere
  const std::uint32_t operation = args.u32(1) & ~nonblocking;
  if (operation != shared && operation != exclusive && operation != unlock) return Errno::inval;
  Ref<File> file = TRY(file_argument(args.i32(0)));
  const LockRange range{Kind::whole, operation == exclusive, file.get(), current_process().pid};
  if (operation == unlock) return as_zero(FileLocks::release(file->inode(), range, is_root()));
  if (!abi::may_read(file->flags) && !abi::may_write(file->flags)) return Errno::badf;
  return as_zero(FileLocks::take(file->inode(), range, !(args.u32(1) & nonblocking), is_root()));
}

}  // namespace guest
