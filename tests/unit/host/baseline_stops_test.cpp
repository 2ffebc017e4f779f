// The baseline VMM's stop handling, fed with made-up stops: the paper's protocol stop by stop, its
// rules for host calls, and the races between interrupts, faults and system calls.
#include "baseline-vmm/stops.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/unit/host/baseline_fixture.h"

namespace baseline {
namespace {

HostCall close_call() {
  return call(rules.gate_closed, SYS_munmap, {vmi::window_base, guest_bytes});
}
HostCall leave_call() {
  return call(rules.gate_returned, SYS_rt_sigreturn, {});
}
HostCall map_call(std::uint64_t va, std::uint64_t bytes, std::uint64_t offset) {
  return call(rules.host_call_ip, SYS_mmap, {va, bytes, 3, MAP_SHARED | MAP_FIXED, 3, offset});
}

struct FakeTracee final : Tracee {
  HostCall next_call;
  SignalInfo next_signal;
  std::vector<std::int64_t> replaced;
  std::uint64_t ip = 0;
  int signals_sent = 0;

  HostCall call() override { return next_call; }
  SignalInfo signal_info() override { return next_signal; }
  void replace_call(std::int64_t number) override { replaced.push_back(number); }
  void set_ip(std::uint64_t to) override { ip = to; }
  void send_upcall_signal() override { ++signals_sent; }
};

struct FakeServices final : Services {
  int idles = 0;
  std::vector<std::uint64_t> written;
  std::uint64_t device_read(std::uint32_t address) override { return address + 1; }
  void device_write(std::uint32_t, std::uint64_t value) override { written.push_back(value); }
  void idle() override { ++idles; }
  std::string text(std::uint64_t) override { return "boom"; }
};

class BaselineStops : public testing::TestWithParam<Trap> {
 protected:
  FakeTracee tracee_;
  FakeServices services_;
  Mailbox mailbox_{};
  vmi::SharedInfo shared_{};
  Observer observer_{rules};
  Stops stops_{GetParam(), rules, tracee_, services_, mailbox_, shared_, &observer_};

  [[nodiscard]] bool sysemu() const { return GetParam() == Trap::sysemu; }
  Resume syscall_stop() { return stops_.handle({Stop::Kind::syscall}); }
  Resume signal_stop(int signal) { return stops_.handle({Stop::Kind::signal, signal}); }
  void host_call(const HostCall& made) {
    tracee_.next_call = made;
    syscall_stop();
    if (!stops_.end()) syscall_stop();
  }
  /// From the first stop to guest user code.
  void boot() {
    host_call(call(0x1000, SYS_munmap, {0, 0x1000}));
    host_call(vmm_call(VmmCall::started));
    EXPECT_EQ(mailbox_.mail, Mail::boot);
    EXPECT_EQ(signal_stop(SIGUSR1).signal, SIGUSR1);
    host_call(open_call());
    back_to_user();
  }
  void back_to_user() {
    host_call(close_call());
    host_call(leave_call());
  }
  /// Up to and with the last stop before SIGUSR1.
  void user_syscall(std::uint64_t number, std::uint32_t arch = AUDIT_ARCH_X86_64) {
    tracee_.next_call = {.ip = 0x400010, .arch = arch, .number = number, .arguments = {}};
    syscall_stop();
    if (!sysemu()) syscall_stop();
  }
};

INSTANTIATE_TEST_SUITE_P(Traps, BaselineStops, testing::Values(Trap::ptrace, Trap::sysemu),
                         [](const auto& info) {
                           return info.param == Trap::ptrace ? "ptrace" : "sysemu";
                         });

TEST_P(BaselineStops, NullSystemCallTakesTheProtocolsStops) {
  boot();
  std::uint64_t before = stops_.counters().stops;
  user_syscall(SYS_getppid);
  EXPECT_EQ(mailbox_.mail, Mail::syscall);
  EXPECT_EQ(mailbox_.syscall_number, SYS_getppid);
  EXPECT_EQ(signal_stop(SIGUSR1).signal, SIGUSR1);
  host_call(open_call());
  back_to_user();
  EXPECT_FALSE(stops_.end());
  EXPECT_EQ(stops_.counters().stops - before, sysemu() ? 8u : 9u);
  EXPECT_EQ(stops_.counters().null_protocol_syscalls, 1u);
  EXPECT_EQ(stops_.counters().null_protocol_stops, Stops::protocol_stops(GetParam()));
  EXPECT_EQ(stops_.counters().null_protocol_deviations, 0u);
}

TEST_P(BaselineStops, TimeIsTheGatesFromTheFirstStopToTheLast) {
  vmi::Accounts accounts{};
  Stops stops(GetParam(), rules, tracee_, services_, mailbox_, shared_, nullptr, &accounts);
  accounts.begin();
  auto host_call = [&](const HostCall& made) {
    tracee_.next_call = made;
    stops.handle({Stop::Kind::syscall});
    stops.handle({Stop::Kind::syscall});
  };
  host_call(vmm_call(VmmCall::started));
  stops.handle({Stop::Kind::signal, SIGUSR1});
  host_call(open_call());
  EXPECT_EQ(accounts.charged, vmi::account_kernel);
  host_call(close_call());
  host_call(leave_call());
  EXPECT_EQ(accounts.charged, vmi::account_user);
  tracee_.next_call = {
      .ip = 0x400010, .arch = AUDIT_ARCH_X86_64, .number = SYS_getppid, .arguments = {}};
  stops.handle({Stop::Kind::syscall});
  EXPECT_EQ(accounts.charged, vmi::account_gate);
  EXPECT_GT(accounts.cycles[vmi::account_user], 0u);
  EXPECT_EQ(accounts.shortest_trapped_stay, accounts.cycles[vmi::account_user]);
  EXPECT_EQ(shared_.host_calls[SYS_rt_sigreturn], 1u);
}

TEST_P(BaselineStops, GuestCallsNeverReachTheHost) {
  boot();
  // The gate's own call, from its own address, is the guest's when guest user code makes it.
  tracee_.next_call = leave_call();
  Resume next = syscall_stop();
  EXPECT_EQ(next.emulate, sysemu());
  EXPECT_EQ(tracee_.replaced.size(), sysemu() ? 0u : 1u);
  if (!sysemu()) {
    EXPECT_EQ(tracee_.replaced.front(), SYS_getpid);
    syscall_stop();
  }
  EXPECT_EQ(mailbox_.syscall_number, SYS_rt_sigreturn);
}

TEST_P(BaselineStops, A32BitCallIsToldApartAndNotReplacedByANumberOfTheOtherTable) {
  boot();
  user_syscall(11, AUDIT_ARCH_I386);
  EXPECT_EQ(mailbox_.mail, Mail::int80);
  if (!sysemu()) {
    EXPECT_EQ(tracee_.replaced.back(), -1);
  }
}

TEST_P(BaselineStops, VsyscallIsASystemCallThoughItComesAsASignal) {
  boot();
  tracee_.next_signal = {.code = 1, .address = 0, .syscall = SYS_time};
  EXPECT_EQ(signal_stop(SIGSYS).signal, SIGSYS);
  EXPECT_EQ(mailbox_.mail, Mail::syscall);
  EXPECT_EQ(mailbox_.syscall_number, static_cast<std::uint64_t>(SYS_time));
}

TEST_P(BaselineStops, CallsForUserMemoryArePlainNoLonger) {
  boot();
  user_syscall(SYS_brk);
  signal_stop(SIGUSR1);
  host_call(open_call());
  host_call(map_call(0x400000, 0x2000, vmi::frame_offset(7)));
  back_to_user();
  EXPECT_FALSE(stops_.end());
  EXPECT_EQ(stops_.counters().null_protocol_syscalls, 0u);
}

TEST_P(BaselineStops, InterruptDuringASystemCallIsDeliveredOnce) {
  boot();
  shared_.pending = 1;
  stops_.interrupt();
  EXPECT_EQ(tracee_.signals_sent, 2);  // boot's was the first
  user_syscall(SYS_getppid);           // the process got there first
  EXPECT_EQ(mailbox_.mail, Mail::syscall);
  EXPECT_EQ(signal_stop(SIGUSR1).signal, SIGUSR1);  // the host merged both
  EXPECT_EQ(mailbox_.mail, Mail::syscall);
  host_call(open_call());
  shared_.pending = 0;  // the guest kernel saw to it
  int sent = tracee_.signals_sent;
  back_to_user();
  EXPECT_EQ(tracee_.signals_sent, sent);
}

TEST_P(BaselineStops, ATickIsTheUsersOnlyWhileGuestUserCodeRuns) {
  boot();
  stops_.tick();
  user_syscall(SYS_getppid);
  stops_.tick();
  EXPECT_EQ(signal_stop(SIGUSR1).signal, SIGUSR1);
  host_call(open_call());
  stops_.tick();
  back_to_user();
  stops_.tick();
  EXPECT_EQ(shared_.ticks_in_user, 2u);
  EXPECT_EQ(shared_.ticks_in_kernel, 2u);
}

TEST_P(BaselineStops, InterruptBehindAFaultIsDroppedOnceServed) {
  boot();
  shared_.pending = 1;
  stops_.interrupt();
  tracee_.next_signal = {.code = SEGV_MAPERR, .address = 0x5000};
  EXPECT_EQ(signal_stop(SIGSEGV).signal, SIGSEGV);
  EXPECT_EQ(mailbox_.mail, Mail::fault);
  host_call(open_call());
  shared_.pending = 0;
  back_to_user();
  EXPECT_EQ(signal_stop(SIGUSR1).signal, 0);
  EXPECT_EQ(stops_.counters().signals_suppressed, 1u);
  // Guest user code goes on: its next stop is a system call.
  user_syscall(SYS_getppid);
  EXPECT_EQ(mailbox_.mail, Mail::syscall);
}

TEST_P(BaselineStops, WhatBecomesPendingInTheKernelIsRaisedOnTheWayOut) {
  boot();
  user_syscall(SYS_getppid);
  signal_stop(SIGUSR1);
  host_call(open_call());
  int sent = tracee_.signals_sent;
  shared_.pending = 1;
  stops_.interrupt();
  EXPECT_EQ(tracee_.signals_sent, sent);  // a pending bit only
  back_to_user();
  EXPECT_EQ(tracee_.signals_sent, sent + 1);
  EXPECT_EQ(signal_stop(SIGUSR1).signal, SIGUSR1);
  EXPECT_EQ(mailbox_.mail, Mail::interrupt);
}

TEST_P(BaselineStops, ForeignSignalsAreNotTheGuests) {
  boot();
  EXPECT_EQ(signal_stop(SIGTERM).signal, 0);
  tracee_.next_signal = {.code = SI_USER};
  EXPECT_EQ(signal_stop(SIGSEGV).signal, 0);
  EXPECT_EQ(signal_stop(SIGUSR1).signal, 0);
  EXPECT_FALSE(stops_.end());
}

TEST_P(BaselineStops, FaultAtUserMemoryInTheKernelGoesToTheLanding) {
  boot();
  user_syscall(SYS_write);
  signal_stop(SIGUSR1);
  host_call(open_call());
  shared_.user_access.landing = 0x1234;
  tracee_.next_signal = {.code = SEGV_ACCERR, .address = 0x400123};
  EXPECT_EQ(signal_stop(SIGSEGV).signal, 0);
  EXPECT_EQ(tracee_.ip, 0x1234u);
  EXPECT_EQ(shared_.user_access.fault_address, 0x400123u);
  EXPECT_FALSE(stops_.end());
}

TEST_P(BaselineStops, AnyOtherFaultInTheKernelIsItsDeath) {
  boot();
  user_syscall(SYS_write);
  signal_stop(SIGUSR1);
  host_call(open_call());
  tracee_.next_signal = {.code = SEGV_MAPERR, .address = 0x400123};  // no landing
  signal_stop(SIGSEGV);
  ASSERT_TRUE(stops_.end());
  EXPECT_TRUE(stops_.end()->registers_valid);
}

TEST_P(BaselineStops, LandingDoesNotCoverTheWindow) {
  boot();
  user_syscall(SYS_write);
  signal_stop(SIGUSR1);
  host_call(open_call());
  shared_.user_access.landing = 0x1234;
  tracee_.next_signal = {.code = SEGV_MAPERR, .address = vmi::window_base + 8};
  signal_stop(SIGSEGV);
  EXPECT_TRUE(stops_.end());
}

TEST_P(BaselineStops, ForbiddenHostCallsEndTheMachine) {
  const HostCall forbidden[] = {
      call(rules.host_call_ip, SYS_open, {}),
      call(rules.host_call_ip + 1, SYS_munmap, {0x400000, 0x1000}),
      call(rules.host_call_ip, SYS_munmap, {vmi::alt_stack_base, 0x1000}),
      call(rules.host_call_ip, SYS_munmap, {vmi::user_end - 0x1000, 0x2000}),
      call(rules.host_call_ip, SYS_munmap, {0x400000, 0}),
      map_call(0x400000, 0x1000, 0),                          // the window
      map_call(0x400000, 0x2000, guest_bytes - 0x1000),       // beyond RAM
      map_call(vmi::user_end, 0x1000, vmi::frame_offset(0)),  // beyond user memory
      map_call(0x400000, ~0xffful, vmi::frame_offset(0)),     // wraps
      call(rules.gate_closed, SYS_munmap, {vmi::window_base, guest_bytes + 0x1000}),
      open_call(),   // open already
      leave_call(),  // not closed yet
      call(rules.host_call_ip, vmm_call_number, {1}),
  };
  for (const HostCall& made : forbidden) {
    Stops stops{GetParam(), rules, tracee_, services_, mailbox_, shared_, nullptr};
    auto both = [&](const HostCall& c) {
      tracee_.next_call = c;
      stops.handle({Stop::Kind::syscall});
      if (!stops.end()) stops.handle({Stop::Kind::syscall});
    };
    both(vmm_call(VmmCall::started));
    stops.handle({Stop::Kind::signal, SIGUSR1});
    both(open_call());
    ASSERT_FALSE(stops.end());
    both(made);
    EXPECT_TRUE(stops.end()) << made.number << " at " << made.ip;
  }
}

TEST_P(BaselineStops, VmmCallsAreServedAtTheirEntry) {
  boot();
  user_syscall(SYS_write);
  signal_stop(SIGUSR1);
  host_call(open_call());
  host_call(vmm_call(VmmCall::device_read, 0x1000));
  EXPECT_EQ(mailbox_.result, 0x1001u);
  host_call(vmm_call(VmmCall::device_write, 0x1000, 77));
  EXPECT_EQ(services_.written, std::vector<std::uint64_t>{77});
  host_call(vmm_call(VmmCall::idle));
  EXPECT_EQ(services_.idles, 1);
  host_call(vmm_call(VmmCall::shutdown, 7 << 8));
  ASSERT_TRUE(stops_.end());
  EXPECT_EQ(stops_.end()->wait_status, 7 << 8);
}

TEST_P(BaselineStops, PanicAndSuddenDeathAreFailures) {
  boot();
  user_syscall(SYS_write);
  signal_stop(SIGUSR1);
  host_call(open_call());
  host_call(vmm_call(VmmCall::panic, vmi::kernel_base));
  ASSERT_TRUE(stops_.end());
  EXPECT_EQ(stops_.end()->failure, "boom");

  Stops killed{GetParam(), rules, tracee_, services_, mailbox_, shared_, nullptr};
  killed.handle({Stop::Kind::ended, 0, SIGKILL});
  ASSERT_TRUE(killed.end());
  EXPECT_NE(killed.end()->failure.find("killed by signal 9"), std::string::npos);
  EXPECT_FALSE(killed.end()->registers_valid);
}

TEST_P(BaselineStops, ObserverSeesWhatReachedTheHost) {
  boot();
  user_syscall(SYS_execve);
  for (const monitor::ObservedCall& seen : observer_.report()) {
    EXPECT_TRUE(seen.allowed);
    EXPECT_NE(seen.number, static_cast<std::uint64_t>(SYS_execve));
  }
}

}  // namespace
}  // namespace baseline
