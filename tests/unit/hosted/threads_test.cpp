// Several threads in one process: ends of threads and processes, execve, signals, stops, futexes.
// On the whole kernel (HostedMachine), since ends and stops are switches between stacks.
//
// Each test is the life of one child of the first process: `leader` runs when it begins, and the
// first process waits for it when it is over.
#include "tests/unit/hosted/threads_fixture.h"

namespace {

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
  const int tid = other.tid;
  EXPECT_EQ(end_by([] { call(nr_getpid); }), sig_usr1);
  EXPECT_EQ(ids.find(tid), nullptr);
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
  call(nr_sched_yield);
  EXPECT_EQ(ids.find(pid), nullptr);
  EXPECT_EQ(ids.find(child), nullptr);
  EXPECT_EQ(processes.count(), 2u);
}

}  // namespace
