// pipe and pipe2.
#include "guest/abi/file_flags.h"
#include "guest/fs/pipe/pipe.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

Result<std::int64_t> make_pipe_at(UserAddress to, std::uint32_t flags) {
  // O_DIRECT (packets) is refused rather than quietly served as a byte stream.
  if (flags & ~(abi::o_nonblock | abi::o_cloexec)) return Errno::inval;
  bool close_on_exec = flags & abi::o_cloexec;
  FileTable& files = *current_process().files;
  const int end = current_process().open_limit();
  TRY(check_room_for_files(2));
  PipeEnds ends = TRY(make_pipe(flags));
  std::int32_t fds[2];
  fds[0] = TRY(files.install(ends.reader, end, close_on_exec));
  auto second = files.install(ends.writer, end, close_on_exec);
  if (!second.ok()) {
    TRY(files.close(fds[0]));
    return second.error();
  }
  fds[1] = second.value();
  auto put = copy_to_user(to, fds, sizeof fds);
  if (!put.ok()) {
    TRY(files.close(fds[0]));
    TRY(files.close(fds[1]));
  }
  return as_zero(std::move(put));
}

}  // namespace

Result<std::int64_t> sys_pipe(const Args& args) {
  return make_pipe_at(args.user(0), 0);
}
Result<std::int64_t> sys_pipe2(const Args& args) {
  return make_pipe_at(args.user(0), args.u32(1));
}

}  // namespace guest
