// System calls that change a small thing about the calling thread: name, thread-local storage, what
// the C library registers for it.
#include "guest/mm/user.h"
#include "guest/proc/futex.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"

namespace guest {

// Programs of other systems are not served; but nothing is at random here, whoever asks for that.
Result<std::int64_t> sys_personality(const Args& args) {
  constexpr std::uint32_t only_ask = 0xffff'ffff, no_randomness = 0x40000;
  Process& self = current_process();
  const std::uint32_t before = self.personality;
  if (args.u32(0) == only_ask) return before;
  if (args.u32(0) & ~no_randomness) return Errno::inval;
  self.personality = args.u32(0);
  return before;
}

Result<std::int64_t> sys_prctl(const Args& args) {
  enum { set_death_signal = 1, get_death_signal = 2 };
  enum { get_dumpable = 3, set_dumpable = 4, set_name = 15, get_name = 16 };
  enum { set_no_new_privs = 38, get_no_new_privs = 39 };
  Thread& self = current_thread();
  switch (args.i32(0)) {
    case set_death_signal:
      if (args.u64(1) > sig_last) return Errno::inval;
      self.process.death_signal = args.i32(1);
      return 0;
    case get_death_signal:
      TRY(put_user(args.user(1), self.process.death_signal));
      return 0;
    case get_dumpable:
      return 1;
    case set_dumpable:
      return 0;
    case set_no_new_privs:
      if (args.u64(1) != 1 || args.u64(2) || args.u64(3) || args.u64(4)) return Errno::inval;
      self.credentials.no_new_privs = true;
      return 0;
    case get_no_new_privs:
      if (args.u64(1) || args.u64(2) || args.u64(3) || args.u64(4)) return Errno::inval;
      return self.credentials.no_new_privs;
    case set_name: {
      // Cut to fit, and a name may end right before an unmapped page: byte by byte.
      std::size_t i = 0;
      for (char c = 1; c && i < sizeof self.name - 1; ++i)
        self.name[i] = c = TRY(get_user<char>(args.user(1) + i));
      self.name[i] = '\0';
      return 0;
    }
    case get_name:
      TRY(copy_to_user(args.user(1), self.name, sizeof self.name));
      return 0;
    default:
      return Errno::inval;
  }
}

Result<std::int64_t> sys_arch_prctl(const Args& args) {
  enum { set_gs = 0x1001, set_fs = 0x1002, get_fs = 0x1003, get_gs = 0x1004 };
  vmi::TrapFrame& frame = *current_thread().frame;
  int code = args.i32(0);
  if (code == get_fs || code == get_gs) {
    TRY(put_user(args.user(1), code == get_fs ? frame.fs_base : frame.gs_base));
    return 0;
  }
  if (code != set_fs && code != set_gs) return Errno::inval;
  // The monitor loads it into a register that refuses non-canonical addresses.
  if (args.u64(1) >= vmi::user_end) return Errno::perm;
  (code == set_fs ? frame.fs_base : frame.gs_base) = args.u64(1);
  return 0;
}

Result<std::int64_t> sys_set_tid_address(const Args& args) {
  current_thread().clear_child_tid = args.u64(0);
  return current_thread().tid;
}

Result<std::int64_t> sys_set_robust_list(const Args& args) {
  if (args.u64(1) != robust_list_head_bytes) return Errno::inval;
  current_thread().robust_list = args.u64(0);
  return 0;
}

Result<std::int64_t> sys_get_robust_list(const Args& args) {
  Thread* thread = args.i32(0) ? processes.find_thread(args.i32(0)) : &current_thread();
  if (!thread) return Errno::srch;
  TRY(put_user(args.user(2), robust_list_head_bytes));
  TRY(put_user(args.user(1), thread->robust_list));
  return 0;
}

Result<std::int64_t> sys_rseq(const Args&) {
  return Errno::nosys;
}

}  // namespace guest
