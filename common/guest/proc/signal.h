// Signals: sending, blocking, and what a process does about each. Sending only marks a signal
// pending, for a process or for one thread, and wakes a thread that would take it; delivery happens
// on a thread's own way back to user mode (deliver_signals, called by trap/upcall.cpp), where
// handlers are entered and defaults applied.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/result.h"
#include "guest/proc/pending_signals.h"
#include "guest/sched/wait_queue.h"

namespace guest {

class Process;
class Thread;
struct SignalHandlers;

enum Signal : int {
  sig_hup = 1,
  sig_int = 2,
  sig_quit = 3,
  sig_ill = 4,
  sig_trap = 5,
  sig_abrt = 6,
  sig_bus = 7,
  sig_fpe = 8,
  sig_kill = 9,
  sig_usr1 = 10,
  sig_segv = 11,
  sig_usr2 = 12,
  sig_pipe = 13,
  sig_alrm = 14,
  sig_term = 15,
  sig_chld = 17,
  sig_cont = 18,
  sig_stop = 19,
  sig_tstp = 20,
  sig_ttin = 21,
  sig_ttou = 22,
  sig_urg = 23,
  sig_xcpu = 24,
  sig_xfsz = 25,
  sig_vtalrm = 26,
  sig_prof = 27,
  sig_winch = 28,
  sig_io = 29,
  sig_first_realtime = 32,
  sig_last = 64,
};

/// What no program can block, catch or ignore.
inline constexpr SignalSet unstoppable_signals = signal_bit(sig_kill) | signal_bit(sig_stop);

/// siginfo as the kernel itself fills it (SI_KERNEL), for faults (with an address), for kill().
abi::SigInfo signal_from_kernel(int signal);
abi::SigInfo signal_from_fault(int signal, int code, std::uint64_t address);
abi::SigInfo signal_from_process(int signal, int code);

/// Makes a signal pending for a process: one of its threads will take it. Ignored signals vanish
/// here, as on Linux. EAGAIN: the queue of real-time signals is full.
Result<> send_signal(Process& target, const abi::SigInfo& info, bool of_timer = false);
void send_signal(Process& target, int signal);
/// The same for one thread.
Result<> send_signal(Thread& target, const abi::SigInfo& info, bool of_timer = false);
/// To every member of a process group; ESRCH when it has none.
Result<> send_signal_to_group(int group, const abi::SigInfo& info);

/// A signal the current thread brought on itself (a fault). If it is blocked or ignored, the
/// process dies of it.
void force_signal(const abi::SigInfo& info);

/// What waits for this thread: its own signals and its process's.
SignalSet pending_signals(const Thread& thread);
/// Takes the lowest-numbered of the thread's own in `wanted`, or else of its process's. There must
/// be one. A timer is told.
abi::SigInfo take_signal(Thread& thread, SignalSet wanted);
/// Told whenever a signal has become pending for anybody: signalfds look whether it is for them.
extern WaitQueue signals_sent;
/// True when the thread has a signal to act upon: blocking calls give up (Errno::restart).
bool signal_pending(const Thread& thread);
/// What is pending for the thread, what it blocks, or what becomes of its process has changed.
void refresh_attention(Thread& thread);
/// Changes the mask of blocked signals.
void set_signal_mask(Thread& thread, SignalSet blocked);
/// For calls that block under another mask (sigsuspend, ppoll): the old one comes back on the way
/// to user mode, after a handler's frame has remembered it.
void set_temporary_signal_mask(Thread& thread, SignalSet blocked);
/// At once, where the call ends without a signal. No effect if there is none.
void end_temporary_signal_mask(Thread& thread);
/// The thread will not take these any more: those that wait for its process are for the others.
void leave_signals_to_others(Thread& thread, SignalSet signals);

/// On the way to user mode: acts on pending signals, restarts interrupted system calls. Does not
/// return if a signal ends the process.
void deliver_signals(Thread& thread);

/// The default action is to do nothing, or the handler says so.
bool ignores(const Process& process, int signal);
/// rt_sigaction's rules: EINVAL for what cannot be caught; newly ignored signals stop being
/// pending.
Result<> set_signal_action(Process& process, int signal, const abi::SignalAction& action);

/// execve: handlers go back to default, ignored signals stay ignored.
void reset_signal_handlers(SignalHandlers& handlers);

/// sigaltstack's rules for a thread whose stack pointer is `stack_pointer`: EPERM while on it.
Result<> set_signal_stack(abi::SignalStack& stack, const abi::SignalStack& wanted,
                          std::uint64_t stack_pointer);
bool on_signal_stack(const abi::SignalStack& stack, std::uint64_t stack_pointer);

}  // namespace guest
