// The VMM's heart: what to do at each stop of the guest-machine process. The launcher waits for a
// stop, hands it to Stops::handle, and resumes the process as told. Here lives the knowledge of
// whether guest user code or guest kernel runs; a test feeds it with made-up stops.
//
// A guest system call under trap=ptrace, stop by stop:
//   1 entry       made a no-op (getpid)
//   2 exit        the mailbox says "system call n"; SIGUSR1 is sent
//   3 SIGUSR1     delivered: the process runs the gate, in kernel mode from here
//   4 5 mmap      the gate opens the window; the guest kernel serves the call
//   6 7 munmap    the gate closes it
//   8 9 sigreturn back in guest user code
// Under trap=sysemu the host runs nothing at 1, and there is no 2. A fault or an interrupt begins
// at 3. Host calls of the guest kernel for user memory and devices come between 5 and 6, in pairs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "baseline-vmm/axes.h"
#include "baseline-vmm/observer.h"
#include "baseline-vmm/protocol.h"
#include "monitor/machine/kind.h"
#include "vmi/accounts.h"
#include "vmi/shared_info.h"

namespace baseline {

struct Stop {
  enum class Kind { syscall, signal, ended } kind = Kind::syscall;
  int signal = 0;       // for signal
  int wait_status = 0;  // for ended
};

struct Resume {
  bool emulate = false;  // PTRACE_SYSEMU rather than PTRACE_SYSCALL
  int signal = 0;        // delivered on the way
};

struct SignalInfo {
  int code = 0;
  std::uint64_t address = 0;  // si_addr
  int syscall = 0;            // si_syscall
};

/// The stopped guest-machine process.
class Tracee {
 public:
  virtual HostCall call() = 0;
  virtual SignalInfo signal_info() = 0;
  /// Only at an entry stop: the host will run this call instead.
  virtual void replace_call(std::int64_t number) = 0;
  virtual void set_ip(std::uint64_t ip) = 0;
  /// SIGUSR1; the process need not be stopped for this one.
  virtual void send_upcall_signal() = 0;

 protected:
  ~Tracee() = default;
};

/// What VMM calls ask for.
class Services {
 public:
  virtual std::uint64_t device_read(std::uint32_t address) = 0;
  virtual void device_write(std::uint32_t address, std::uint64_t value) = 0;
  virtual void idle() = 0;
  virtual std::string text(std::uint64_t window_address) = 0;

 protected:
  ~Services() = default;
};

/// How a machine ended.
struct End {
  std::optional<std::int32_t> wait_status;  // of the first process, else:
  std::string failure;
  bool registers_valid = false;  // the process is stopped in kernel mode: there is a stack to show
};

struct StopCounters {
  std::uint64_t stops = 0;
  std::uint64_t vmm_calls = 0;
  std::uint64_t interrupts_sent = 0;
  std::uint64_t signals_suppressed = 0;
  // Guest system calls whose service took no host call but the protocol's own.
  std::uint64_t null_protocol_syscalls = 0;
  std::uint64_t null_protocol_stops = 0;       // of the last one
  std::uint64_t null_protocol_deviations = 0;  // how many took another number than the protocol's
};

class Stops {
 public:
  Stops(Trap trap, const Rules& rules, Tracee& tracee, Services& services, Mailbox& mailbox,
        vmi::SharedInfo& shared, Observer* observer, vmi::Accounts* accounts = nullptr)
      : trap_(trap),
        rules_(rules),
        tracee_(tracee),
        services_(services),
        mailbox_(mailbox),
        shared_(shared),
        observer_(observer),
        accounts_(accounts) {}

  /// The process stopped: does what has to be done, says how to go on. Not to be resumed once
  /// end() says something.
  Resume handle(const Stop& stop);
  /// An interrupt is pending: if guest user code runs, it is made to stop. In kernel mode the bit
  /// alone does.
  void interrupt();

  /// The host's tick has come: whose time does it take?
  void tick() { ++(mode_ == Mode::user ? shared_.ticks_in_user : shared_.ticks_in_kernel); }

  [[nodiscard]] const std::optional<End>& end() const { return end_; }
  [[nodiscard]] bool reached_user() const { return reached_user_; }
  [[nodiscard]] const StopCounters& counters() const { return counters_; }
  static constexpr std::uint64_t protocol_stops(Trap trap) { return trap == Trap::sysemu ? 8 : 9; }

 private:
  enum class Mode {
    starting,   // the monitor's own first steps, before the guest exists
    user,       // guest user code
    user_call,  // between entry and exit of its call, which the host runs as a no-op
    signalled,  // SIGUSR1 is on its way
    entering,   // in the gate, window closed
    kernel,     // window open
    leaving,    // in the gate, window closed again
  };

  Resume serve_stop(const Stop& stop);
  Resume on_call();
  Resume on_user_call();
  Resume on_kernel_entry();
  Resume on_kernel_exit();
  bool admit(CallKind kind);
  void serve(const HostCall& call);

  Resume on_signal(int signal);
  Resume on_upcall_signal();
  Resume on_user_trap(int signal);
  Resume on_kernel_trap(int signal);
  Resume suppress();

  Resume raise(Mail mail, std::uint64_t number);
  Resume go_to_user();
  void account_protocol();
  Resume resume() const { return {mode_is_users() && trap_ == Trap::sysemu, 0}; }
  [[nodiscard]] bool mode_is_users() const {
    return mode_ == Mode::user || mode_ == Mode::user_call || mode_ == Mode::signalled;
  }
  void observe(const HostCall& call, bool allowed);
  Resume die(std::string failure);

  const Trap trap_;
  const Rules rules_;
  Tracee& tracee_;
  Services& services_;
  Mailbox& mailbox_;
  vmi::SharedInfo& shared_;
  Observer* observer_;
  vmi::Accounts* accounts_;  // nullptr: nobody asked where the time goes

  Mode mode_ = Mode::starting;
  bool in_call_ = false;           // between entry and exit stop of a host call in kernel mode
  std::optional<CallKind> call_;   // that call; nothing for those before the guest exists
  std::uint64_t user_number_ = 0;  // of the guest's call that is being no-op'ed
  Mail user_mail_ = Mail::syscall;
  bool plain_syscall_ = false;  // this upcall is a system call and made no host call so far
  std::uint64_t upcall_stops_ = 0;
  bool reached_user_ = false;
  StopCounters counters_;
  std::optional<End> end_;
};

}  // namespace baseline
