// pidfd_open and pidfd_send_signal; waitid takes a pidfd too (process_calls.cpp).
#include "guest/abi/file_flags.h"
#include "guest/fs/events/process_file.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/path_arguments.h"

namespace guest {

Result<std::int64_t> sys_pidfd_open(const Args& args) {
  const int pid = args.i32(0);
  const std::uint32_t flags = args.u32(1);
  if (flags & ~abi::o_nonblock || pid <= 0) return Errno::inval;
  Process* process = processes.find(pid);
  if (!process) return Errno::srch;
  if (process->pid != pid) return Errno::noent;  // a thread that leads none
  TRY(check_room_for_files(1));
  return install_file(TRY(make_process_file(Ref<Process>(process), flags)), abi::o_cloexec);
}

Result<std::int64_t> sys_pidfd_send_signal(const Args& args) {
  if (args.u32(3)) return Errno::inval;
  const int signal = args.i32(1);
  const Ref<ProcessFile> target = TRY(file_argument_as<ProcessFile>(args.i32(0), Errno::badf));
  abi::SigInfo info = signal_from_process(signal, abi::si_user);
  if (args.user(2)) {
    info = TRY(get_user<abi::SigInfo>(args.user(2)));
    if (info.number != signal) return Errno::inval;
    // Only to itself may a process pretend that the kernel or kill() sent the signal.
    const bool claims = info.code >= 0 || info.code == abi::si_tkill;
    if (claims && target->process->pid != current_process().pid) return Errno::perm;
  }
  if (signal < 0 || signal > sig_last) return Errno::inval;
  if (target->is_gone()) return Errno::srch;
  if (signal) TRY(send_signal(*target->process, info));
  return 0;
}

}  // namespace guest
