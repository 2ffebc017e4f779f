// Several threads in one process: ends of threads and processes, execve, signals, stops, futexes.
// On the whole kernel (HostedMachine), since ends and stops are switches between stacks. clone()
// refuses CLONE_THREAD still, so the threads are made by what it would call.
//
// Each test is the life of one child of the first process: `leader` runs when it begins, and the
// first process waits for it when it is over.
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
    ASSERT_EQ(current_process().pid, 1);
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
    if (current_process().pid == 1) call(nr_wait4, ~0ull, 0, options);
  }
  /// The child has ended, and the first process knows it. Its wait status.
  int end() {
    EXPECT_EQ(current_process().pid, 1);
    EXPECT_EQ(machine().frame().rax, static_cast<std::uint64_t>(pid));
    EXPECT_EQ(processes.find(pid), nullptr);
    EXPECT_EQ(processes.count(), 1u);
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

TEST_F(Threads, AreOfOneProcess) {
  Thread& other = another();
  EXPECT_EQ(process->living, 2u);
  EXPECT_NE(other.tid, pid);
  EXPECT_EQ(processes.find_thread(other.tid), &other);
  EXPECT_EQ(processes.find(other.tid), process);
  run(other);
  EXPECT_EQ(call(nr_getpid), pid);
  EXPECT_EQ(call(nr_gettid), other.tid);
  EXPECT_EQ(end_by([] { call(nr_exit_group, 3); }), exit_status(3));
}

TEST_F(Threads, EndOneByOne) {
  Thread& other = another();
  const int tid = other.tid;
  run(other);
  call(nr_exit, 3);
  EXPECT_EQ(&current_thread(), leader);
  EXPECT_EQ(process->living, 1u);
  EXPECT_EQ(processes.find_thread(tid), nullptr);
  EXPECT_EQ(ids.find(tid), nullptr);
  EXPECT_EQ(end_by([] { call(nr_exit, 4); }), exit_status(4));
}

TEST_F(Threads, MayEndWithTheLeaderFirst) {
  Thread& other = another();
  call(nr_exit, 1);
  ASSERT_EQ(&current_thread(), &other);
  EXPECT_TRUE(leader->ended);
  EXPECT_EQ(process->state, Process::State::alive);
  EXPECT_EQ(processes.find(pid), process);
  EXPECT_EQ(process->threads.front(), leader) << "it stays as a zombie";
  send(*process, sig_usr1);  // to whoever is there
  EXPECT_NE(other.attention, 0);
  EXPECT_EQ(end_by([] { call(nr_getpid); }), sig_usr1);
}

TEST_F(Threads, EndTogether) {
  Thread& sleeper = another();
  Thread& other = another();
  run(sleeper);
  call(nr_futex, word, 0, 0, 0);  // sleeps
  run(other);
  EXPECT_EQ(sleeper.state, Thread::State::blocked);
  EXPECT_EQ(end_by([] { call(nr_exit_group, 7); }), exit_status(7));
}

TEST_F(Threads, DieTogetherOfASignal) {
  Thread& sleeper = another();
  run(sleeper);
  call(nr_futex, word, 0, 0, 0);
  EXPECT_EQ(&current_thread(), leader);
  EXPECT_EQ(end_by([&] {
              call(nr_tgkill, static_cast<std::uint64_t>(pid),
                   static_cast<std::uint64_t>(sleeper.tid), sig_kill);
            }),
            sig_kill);
}

TEST_F(Threads, HaveSignalsOfTheirOwn) {
  handle(sig_usr1);
  Thread& other = another();
  send(other, sig_usr1);
  EXPECT_EQ(process->pending.set(), 0u);
  EXPECT_EQ(other.pending.set(), signal_bit(sig_usr1));
  call(nr_getpid);
  EXPECT_EQ(&current_thread(), leader);
  EXPECT_FALSE(in_handler(*leader));
  run(other);
  EXPECT_TRUE(in_handler(other));
  EXPECT_EQ(other.pending.set(), 0u);
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, TakeTheirProcesssSignalsIfTheyDoNotBlockThem) {
  handle(sig_usr1);
  Thread& other = another();
  block(sig_usr1);  // the leader's mask
  send(*process, sig_usr1);
  EXPECT_EQ(leader->attention, 0);
  EXPECT_NE(other.attention, 0);
  run(other);
  EXPECT_TRUE(in_handler(other));
  EXPECT_EQ(process->pending.set(), 0u);
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, LeaveSignalsToOthersWhenTheyBlockThem) {
  handle(sig_usr1);
  Thread& other = another();
  send(*process, sig_usr1);
  EXPECT_NE(leader->attention, 0) << "the leader before others";
  EXPECT_EQ(other.attention, 0);
  set_signal_mask(*leader, signal_bit(sig_usr1));
  EXPECT_EQ(leader->attention, 0);
  EXPECT_NE(other.attention, 0);
  // And when they end.
  set_signal_mask(other, signal_bit(sig_usr1));
  set_signal_mask(*leader, 0);
  EXPECT_NE(leader->attention, 0);
  EXPECT_EQ(other.attention, 0);
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, WaitWithASignalThatAllBlock) {
  handle(sig_usr2);
  block(sig_usr2);
  Thread& other = another();
  send(*process, sig_usr2);
  EXPECT_EQ(leader->attention, 0);
  EXPECT_EQ(other.attention, 0);
  call(nr_rt_sigpending, structure, 8);
  EXPECT_EQ(load(structure), static_cast<std::uint32_t>(signal_bit(sig_usr2)));
  run(other);
  block(sig_usr2, 1);  // unblocks
  EXPECT_TRUE(in_handler(other));
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, GetTheSignalsOfTheirOwnFaults) {
  handle(sig_segv);
  Thread& other = another();
  run(other);
  machine().frame().fault_address = 0x10;
  machine().frame().error_code = vmi::fault_user;
  machine().enter(vmi::Upcall::page_fault);
  EXPECT_EQ(&current_thread(), &other);
  EXPECT_TRUE(in_handler(other));
  EXPECT_FALSE(in_handler(*leader));
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, StopAndContinueTogether) {
  Thread& sleeper = another();
  Thread& other = another();
  run(sleeper);
  call(nr_futex, word, 0, 0, 0);
  run(*leader);
  send(*process, sig_stop);
  EXPECT_EQ(process->state, Process::State::alive) << "until one of them takes it";
  send(*process, sig_cont);  // undoes what has not begun
  EXPECT_EQ(process->pending.set(), 0u);
  call(nr_getpid);
  EXPECT_EQ(&current_thread(), leader);

  stop_process(*process, sig_stop);
  for (Thread* thread : {leader, &other, &sleeper}) EXPECT_NE(thread->attention, 0);
  EXPECT_EQ(sleeper.state, Thread::State::runnable) << "it goes to sleep elsewhere";
  continue_process(*process);
  run(sleeper);
  EXPECT_EQ(machine().frame().rip, call_site) << "its call is made again";
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, SleepOnTheWayOutWhileStopped) {
  Thread& other = another();
  const int own_pid = pid;
  stop_process(*process, sig_stop);
  // SIGCONT comes from a timer here: nobody else could send it.
  struct Alarm {
    int pid;
    Timer timer{[](Timer& timer) {
                  send_signal(*processes.find(static_cast<Alarm*>(timer.owner)->pid), sig_cont);
                },
                this};
  } alarm{own_pid};
  scheduler.set_timer(alarm.timer, machine().platform.shared_info.time.monotonic_ns + 1000);
  call(nr_getpid);
  EXPECT_EQ(process->state, Process::State::alive);
  EXPECT_TRUE(process->continue_unreported);
  run(other);
  run(*leader);
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, AreEndedByTheExecveOfOne) {
  Thread& sleeper = another();
  Thread& other = another();
  run(sleeper);
  call(nr_futex, word, 0, 0, 0);
  run(other);
  const int old_tid = other.tid;
  store(text, "/bin/p", 7);
  const std::uint64_t none = 0;
  store(structure, &none, sizeof none);
  EXPECT_EQ(call(nr_execve, text, structure, structure), 0);
  EXPECT_EQ(&current_thread(), &other);
  EXPECT_EQ(process->living, 1u);
  EXPECT_EQ(process->leader, &other);
  EXPECT_EQ(other.tid, pid);
  EXPECT_EQ(processes.find_thread(pid), &other);
  EXPECT_EQ(ids.find(old_tid), nullptr);
  EXPECT_EQ(machine().frame().rip, HostedMachine::text);
  EXPECT_EQ(end_by([] { call(nr_exit, 9); }), exit_status(9));
}

TEST_F(Threads, MeetAtAFutexHoweverTheyNameIt) {
  constexpr std::uint64_t wait = 0, wake = 1, one_space = 128;
  for (std::uint64_t flag : {std::uint64_t{0}, one_space}) {
    Thread& other = another();
    run(other);
    call(nr_futex, word, wait | flag, 0, 0);
    ASSERT_EQ(&current_thread(), leader);
    EXPECT_EQ(call(nr_futex, word + 4, wake, 1), 0);
    EXPECT_EQ(call(nr_futex, word, wake | (flag ^ one_space), 1), 1);
    run(other);
    EXPECT_EQ(machine().frame().rax, 0u);
    call(nr_exit, 0);
  }
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, LeaveTheirLocksAndTheirWordToOthers) {
  Thread& other = another();
  run(other);
  // A list of one lock: head at `structure`, its entry behind it, the word behind that.
  const std::uint64_t head[] = {structure + 24, 8, 0, structure};
  store(structure, head, sizeof head);
  store(structure + 32, static_cast<std::uint32_t>(other.tid) | 0x8000'0000);
  ASSERT_EQ(call(nr_set_robust_list, structure, 24), 0);
  other.clear_child_tid = word;
  store(word, 1u);
  run(*leader);
  call(nr_futex, word, 0, 1, 0);  // joins
  ASSERT_EQ(&current_thread(), &other);
  call(nr_exit, 0);
  ASSERT_EQ(&current_thread(), leader);
  EXPECT_EQ(machine().frame().rax, 0u) << "woken";
  EXPECT_EQ(load(word), 0u);
  EXPECT_EQ(load(structure + 32), 0xc000'0000);
  EXPECT_EQ(end_by([] { call(nr_exit_group, 0); }), 0);
}

TEST_F(Threads, KeepANumberWhileAGroupGoesByIt) {
  ASSERT_EQ(call(nr_setpgid, 0, 0), 0);
  const auto child = static_cast<int>(call(nr_fork));
  Process& member = *processes.find(child);
  Ref<Process> kept(process);
  call(nr_exit_group, 0);
  run(*processes.first().leader);
  // The first process has heard of it; the member lives.
  EXPECT_EQ(processes.find(pid), nullptr);
  ASSERT_NE(ids.find(pid), nullptr);
  std::vector<int> taken;
  for (;;) {
    auto id = ids.take();
    if (!id.ok()) break;
    taken.push_back(id.value());
  }
  EXPECT_GT(taken.size(), 32000u);
  for (int id : taken) {
    EXPECT_NE(id, pid);
    EXPECT_NE(id, child);
    ids.give_back_if_unused(id);
  }
  send(member, sig_kill);
  wait(0);
  EXPECT_EQ(ids.find(pid), nullptr);
  EXPECT_EQ(ids.find(child), nullptr);
  EXPECT_EQ(processes.count(), 1u);
}

}  // namespace
