// System calls on open files that only advise, or that are others with flags: nothing is read
// ahead, and what is written back is the whole file.
#include "guest/abi/file_flags.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

enum TransferFlags : std::uint32_t { high_priority = 1, data_synced = 2, synced = 4 };
constexpr std::uint32_t known_flags = high_priority | data_synced | synced;
constexpr int flags_argument = 5;
constexpr std::int64_t at_position = -1;

Result<> check_flags(const Args& args) {
  return args.u32(flags_argument) & ~known_flags ? Errno::notsup : Result<>();
}

}  // namespace

Result<std::int64_t> sys_preadv2(const Args& args) {
  TRY(check_flags(args));
  return args.i64(3) == at_position ? sys_readv(args) : sys_preadv(args);
}

Result<std::int64_t> sys_pwritev2(const Args& args) {
  TRY(check_flags(args));
  const std::int64_t done = TRY(args.i64(3) == at_position ? sys_writev(args) : sys_pwritev(args));
  if (args.u32(flags_argument) & (data_synced | synced))
    TRY(TRY(writable_file(args.i32(0)))->inode().sync());
  return done;
}

Result<std::int64_t> sys_readahead(const Args& args) {
  Ref<File> file = TRY(readable_file(args.i32(0)));
  return file->inode().is(mode_regular) ? Result<std::int64_t>(0) : Errno::inval;
}

Result<std::int64_t> sys_sync_file_range(const Args& args) {
  constexpr std::uint32_t wait_before = 1, write = 2, wait_after = 4;
  Ref<File> file = TRY(file_argument(args.i32(0)));
  if (args.u32(3) & ~(wait_before | write | wait_after)) return Errno::inval;
  std::int64_t end = 0;
  if (args.i64(1) < 0 || __builtin_add_overflow(args.i64(1), args.i64(2), &end) ||
      end < args.i64(1))
    return Errno::inval;
  if (file->inode().is(mode_fifo) || file->inode().is(mode_character)) return Errno::spipe;
  if (args.u32(3) & (write | wait_after)) TRY(file->inode().sync());
  return 0;
}

}  // namespace guest
