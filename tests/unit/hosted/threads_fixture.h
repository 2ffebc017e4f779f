// Threads: a child of the first process on the whole hosted kernel, and what its threads do, as
// threads_test.cpp tells it: by system calls of whoever is current.
#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "guest/proc/ids.h"
#include "guest/proc/lifecycle.h"
#include "tests/fuzz/hosted_machine.h"

namespace {

using namespace guest;
using fuzz::HostedMachine;

constexpr std::uint64_t call_site = HostedMachine::text + 0x100, call_end = call_site + 2;
constexpr std::uint64_t handler = HostedMachine::text + 0x200;
constexpr std::uint64_t memory = 0x1000'0000, word = memory, text = memory + 64,
                        structure = memory + 512;

enum Number : std::uint64_t {
  nr_mmap = 9,
  nr_rt_sigaction = 13,
  nr_rt_sigprocmask = 14,
  nr_sched_yield = 24,
  nr_getpid = 39,
  nr_fork = 57,
  nr_execve = 59,
  nr_exit = 60,
  nr_wait4 = 61,
  nr_kill = 62,
  nr_setpgid = 109,
  nr_rt_sigpending = 127,
  nr_gettid = 186,
  nr_futex = 202,
  nr_exit_group = 231,
  nr_tgkill = 234,
  nr_set_robust_list = 273,
};

HostedMachine& machine() {
  static HostedMachine* one = [] {
    auto* made = new HostedMachine(4096);
    made->on_deadlock = [] {
      std::fprintf(stderr, "nobody can run\n");
      std::abort();
    };
    made->boot();
    return made;
  }();
  return *one;
}

/// By the current thread. What rax holds afterwards, in whichever thread is current then.
std::int64_t call(std::uint64_t number, std::uint64_t a = 0, std::uint64_t b = 0,
                  std::uint64_t c = 0, std::uint64_t d = 0) {
  auto& frame = machine().frame();
  frame.syscall_number = frame.rax = number;
  frame.rdi = a, frame.rsi = b, frame.rdx = c, frame.r10 = d, frame.r8 = frame.r9 = 0;
  frame.rip = call_end;
  machine().enter(vmi::Upcall::syscall);
  return static_cast<std::int64_t>(machine().frame().rax);
}

void store(std::uint64_t va, const void* bytes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!machine().platform.user(va + i, true)) {
      ASSERT_TRUE(AddressSpace::current()->fault(va + i, vmi::fault_user | vmi::fault_write).ok());
    }
    *machine().platform.user(va + i, true) = static_cast<const std::uint8_t*>(bytes)[i];
  }
}
void store(std::uint64_t va, std::uint32_t value) {
  store(va, &value, sizeof value);
}
std::uint32_t load(std::uint64_t va) {
  std::uint32_t value = 0;
  std::memcpy(&value, machine().platform.user(va), sizeof value);
  return value;
}

constexpr std::uint64_t as_thread =
    clone_vm | clone_fs | clone_files | clone_sighand | clone_thread | clone_sysvsem;
Thread& another() {
  return *make_thread({.flags = as_thread}).release();
}
/// Until this one is current.
void run(Thread& thread) {
  for (int i = 0; &current_thread() != &thread; ++i) {
    ASSERT_LT(i, 20) << "it does not run";
    call(nr_sched_yield);
  }
}

void handle(int signal) {
  guest::abi::SignalAction action{};
  action.handler = handler;
  action.flags = 0x0400'0000;  // SA_RESTORER
  action.restorer = handler + 64;
  store(structure, &action, sizeof action);
  ASSERT_EQ(call(nr_rt_sigaction, static_cast<std::uint64_t>(signal), structure, 0, 8), 0);
}
void block(int signal, int how = 0) {
  const SignalSet set = signal_bit(signal);
  store(structure, &set, sizeof set);
  ASSERT_EQ(call(nr_rt_sigprocmask, static_cast<std::uint64_t>(how), structure, 0, 8), 0);
}
bool in_handler(const Thread& thread) {
  return thread.frame->rip == handler;
}
void send(Process& process, int signal) {
  guest::abi::SigInfo info{};
  info.number = signal;
  ASSERT_TRUE(send_signal(process, info).ok());
}
void send(Thread& thread, int signal) {
  guest::abi::SigInfo info{};
  info.number = signal;
  ASSERT_TRUE(send_signal(thread, info).ok());
}

struct Threads : testing::Test {
  void SetUp() override {
    machine();
    ASSERT_EQ(current_process().pid, 2);
    pid = static_cast<int>(call(nr_fork));
    wait(0);
    leader = &current_thread();
    process = &leader->process;
    ASSERT_EQ(process->pid, pid);
    constexpr std::uint64_t anonymous_fixed_private = 0x32;
    ASSERT_EQ(call(nr_mmap, memory, 4096, 3, anonymous_fixed_private),
              static_cast<std::int64_t>(memory));
    store(word, 0u);
  }
  /// The first process waits: somebody else runs.
  static void wait(std::uint64_t options) {
    if (current_process().pid == 2) call(nr_wait4, ~0ull, 0, options);
  }
  /// The child has ended, and the first process knows it. Its wait status.
  int end() {
    EXPECT_EQ(current_process().pid, 2);
    EXPECT_EQ(machine().frame().rax, static_cast<std::uint64_t>(pid));
    EXPECT_EQ(processes.find(pid), nullptr);
    EXPECT_EQ(processes.count(), 2u);
    return last_status;
  }
  /// Lets the rest of it end, and remembers what its status is going to be.
  template <class Last>
  int end_by(Last last) {
    Ref<Process> kept(process);
    last();
    last_status = kept->wait_status;
    EXPECT_EQ(kept->state, Process::State::zombie);
    EXPECT_EQ(kept->living, 0u);
    return end();
  }

  int pid = 0, last_status = -1;
  Thread* leader = nullptr;
  Process* process = nullptr;
};

}  // namespace
