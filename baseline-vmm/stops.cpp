// See stops.h. One function for each kind of stop in each mode.
#include "baseline-vmm/stops.h"

#include <fmt/format.h>
#include <linux/audit.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstring>
#include <utility>

namespace baseline {

namespace {

/// Sent by the processor for something the running code did.
bool is_trap(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
         signal == SIGTRAP || signal == SIGSYS;
}

/// Raised by the host kernel, not by some process's kill().
bool from_processor(const SignalInfo& info) {
  return info.code > 0;
}

std::string describe_end(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return fmt::format("the guest-machine process was killed by signal {} ({})",
                       WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
  }
  return fmt::format("the guest-machine process exited by itself, with status {}",
                     WEXITSTATUS(wait_status));
}

}  // namespace

/// From a stop that ends guest user code's turn to the resume that gives it back, all is the
/// gate's, but for what the resident part charges in between.
Resume Stops::handle(const Stop& stop) {
  if (!accounts_) return serve_stop(stop);
  if (mode_ == Mode::user) {
    const std::uint64_t since = accounts_->charged_until;
    accounts_->charge(vmi::account_gate);
    accounts_->note_trapped_stay(accounts_->charged_until - since);
  }
  Resume next = serve_stop(stop);
  if (mode_ == Mode::user) accounts_->charge(vmi::account_user);
  return next;
}

Resume Stops::serve_stop(const Stop& stop) {
  ++counters_.stops;
  ++upcall_stops_;
  switch (stop.kind) {
    case Stop::Kind::syscall:
      return on_call();
    case Stop::Kind::signal:
      return on_signal(stop.signal);
    case Stop::Kind::ended:
      end_ = End{.wait_status = {}, .failure = describe_end(stop.wait_status)};
      return {};
  }
  return {};
}

void Stops::interrupt() {
  // Elsewhere it would be too early or too late: a process on its way into the kernel finds the
  // pending bit there, and go_to_user looks at it on the way out.
  if (mode_ != Mode::user) return;
  ++counters_.interrupts_sent;
  tracee_.send_upcall_signal();
}

// -- Stops at host calls --

Resume Stops::on_call() {
  switch (mode_) {
    case Mode::user:
      return on_user_call();
    case Mode::user_call:
      return raise(user_mail_, user_number_);
    case Mode::signalled:
      return die("the guest-machine process made a host call instead of taking a signal");
    default:
      in_call_ = !in_call_;
      return in_call_ ? on_kernel_entry() : on_kernel_exit();
  }
}

/// Guest user code made a system call, whatever it is and wherever it comes from: the guest
/// kernel's to serve. The host must not run it.
Resume Stops::on_user_call() {
  HostCall call = tracee_.call();
  upcall_stops_ = 1;
  plain_syscall_ = true;
  bool is_64_bit = call.arch == AUDIT_ARCH_X86_64;
  user_mail_ = is_64_bit ? Mail::syscall : Mail::int80;
  user_number_ = call.number;
  if (trap_ == Trap::sysemu) return raise(user_mail_, user_number_);
  // getpid has another number in the 32-bit table; no call at all has the same in both.
  std::int64_t no_op = is_64_bit ? SYS_getpid : -1;
  tracee_.replace_call(no_op);
  if (is_64_bit) {
    observe({.ip = call.ip, .arch = call.arch, .number = SYS_getpid, .arguments = {}}, true);
  }
  mode_ = Mode::user_call;
  return resume();
}

Resume Stops::on_kernel_entry() {
  HostCall call = tracee_.call();
  if (mode_ == Mode::starting && call.ip != rules_.vmm_call_ip) {
    return resume();  // of our own doing: nothing of the guest has run yet
  }
  shared_.count_host_call(call.number);
  std::optional<CallKind> kind = rules_.judge(call);
  bool allowed = kind && admit(*kind);
  observe(call, allowed);
  if (!allowed) {
    return die(
        fmt::format("the guest kernel made a host call that the monitor forbids: number {} "
                    "({:#x}, {:#x}, {:#x}, {:#x}, {:#x}, {:#x}) before {:#x}",
                    call.number, call.arguments[0], call.arguments[1], call.arguments[2],
                    call.arguments[3], call.arguments[4], call.arguments[5], call.ip));
  }
  call_ = kind;
  if (kind == CallKind::vmm_call) serve(call);
  return resume();
}

/// The gate opens the window first and closes it last; in between the window's own calls.
bool Stops::admit(CallKind kind) {
  switch (kind) {
    case CallKind::open_window:
      return mode_ == Mode::entering;
    case CallKind::close_window:
      return mode_ == Mode::kernel;
    case CallKind::leave:
      return mode_ == Mode::leaving;
    case CallKind::vmm_call:
      plain_syscall_ = false;
      return mode_ == Mode::kernel || mode_ == Mode::starting;
    case CallKind::user_memory:
      plain_syscall_ = false;
      return mode_ == Mode::kernel;
  }
  return false;
}

Resume Stops::on_kernel_exit() {
  switch (std::exchange(call_, {}).value_or(CallKind::user_memory)) {
    case CallKind::open_window:
      mode_ = Mode::kernel;
      return resume();
    case CallKind::close_window:
      mode_ = Mode::leaving;
      return resume();
    case CallKind::leave:
      return go_to_user();
    case CallKind::vmm_call:
      return mode_ == Mode::starting ? raise(Mail::boot, 0) : resume();
    case CallKind::user_memory:
      return resume();
  }
  return resume();
}

void Stops::serve(const HostCall& call) {
  ++counters_.vmm_calls;
  const auto& a = call.arguments;
  switch (static_cast<VmmCall>(a[0])) {
    case VmmCall::started:
      break;
    case VmmCall::idle:
      services_.idle();
      break;
    case VmmCall::shutdown:
      end_ = End{.wait_status = static_cast<std::int32_t>(a[1]), .failure = {}};
      break;
    case VmmCall::panic:
      die(services_.text(a[1]));
      break;
    case VmmCall::device_read:
      mailbox_.result = services_.device_read(static_cast<std::uint32_t>(a[1]));
      break;
    case VmmCall::device_write:
      services_.device_write(static_cast<std::uint32_t>(a[1]), a[2]);
      break;
    default:
      die(fmt::format("the guest kernel made an unknown VMM call, {}", a[0]));
  }
}

// -- Stops before a signal is delivered --

Resume Stops::on_signal(int signal) {
  if (signal == SIGUSR1) return on_upcall_signal();
  // The monitor sends no other signal. What someone else sends is not the guest's business.
  if (!is_trap(signal) || !from_processor(tracee_.signal_info())) return suppress();
  if (mode_ == Mode::user) return on_user_trap(signal);
  return on_kernel_trap(signal);
}

Resume Stops::on_upcall_signal() {
  if (mode_ == Mode::user) {
    // Sent for an interrupt. One that came too late, behind an upcall that saw to it already,
    // finds nothing pending.
    if (shared_.pending.load() == 0) return suppress();
    plain_syscall_ = false;
    mailbox_.mail = Mail::interrupt;
  } else if (mode_ != Mode::signalled) {
    return suppress();
  }
  mode_ = Mode::entering;
  return {false, SIGUSR1};
}

/// The signal itself goes to the gate: its frame has what the processor said.
Resume Stops::on_user_trap(int signal) {
  plain_syscall_ = false;
  mailbox_.mail = Mail::fault;
  if (signal == SIGSYS) {
    // The filter on the vsyscall page, whose calls the host would serve without a stop. They are
    // system calls like any other; the host has returned to the caller already.
    mailbox_.mail = Mail::syscall;
    mailbox_.syscall_number = static_cast<std::uint64_t>(tracee_.signal_info().syscall);
  }
  mode_ = Mode::entering;
  return {false, signal};
}

/// The guest kernel touched user memory that is not there and said where to go on; anything else
/// is its death.
Resume Stops::on_kernel_trap(int signal) {
  SignalInfo info = tracee_.signal_info();
  vmi::UserAccess& access = shared_.user_access;
  bool page_fault = signal == SIGSEGV || signal == SIGBUS;
  const std::uint64_t landing = access.landing;  // the guest's word: looked at once
  if (mode_ != Mode::kernel || !page_fault || landing == 0 ||
      !vmi::is_user_range(info.address, 1)) {
    return die(fmt::format("guest kernel died: signal {} ({}) at address {:#x}", signal,
                           strsignal(signal), info.address));
  }
  access.fault_address = info.address;
  // ptrace does not show the processor's error code: whether it was a write, the code at the
  // landing knows.
  access.error_code = vmi::fault_user;
  if (signal == SIGSEGV && info.code == SEGV_ACCERR) access.error_code |= vmi::fault_present;
  ++shared_.counters.kernel_access_faults;
  plain_syscall_ = false;
  tracee_.set_ip(landing);
  return resume();
}

Resume Stops::suppress() {
  ++counters_.signals_suppressed;
  plain_syscall_ = false;
  return resume();
}

// -- Changes of mode --

Resume Stops::raise(Mail mail, std::uint64_t number) {
  mailbox_.mail = mail;
  mailbox_.syscall_number = number;
  mode_ = Mode::signalled;
  tracee_.send_upcall_signal();
  return resume();
}

Resume Stops::go_to_user() {
  account_protocol();
  reached_user_ = true;
  mode_ = Mode::user;
  // What became pending since the guest kernel last looked would otherwise wait for a tick.
  if (shared_.pending.load() != 0) interrupt();
  return resume();
}

void Stops::account_protocol() {
  if (!std::exchange(plain_syscall_, false)) return;
  ++counters_.null_protocol_syscalls;
  counters_.null_protocol_stops = upcall_stops_;
  if (upcall_stops_ != protocol_stops(trap_)) ++counters_.null_protocol_deviations;
}

void Stops::observe(const HostCall& call, bool allowed) {
  if (observer_) observer_->record(call, !mode_is_users(), allowed);
}

Resume Stops::die(std::string failure) {
  end_ = End{.wait_status = {}, .failure = std::move(failure), .registers_valid = true};
  return {};
}

}  // namespace baseline
