// Conformance, interrupted calls: what becomes of a call that sleeps when a signal comes. Linux has
// four ways to go on with one; each call of sleeping_calls.h says which is its own, and is met by a
// stop, by handlers with and without SA_RESTART, and by signals that are ignored or blocked.
#include "process_state.h"
#include "sleeping_calls.h"

namespace {

void note(int) {
  ++shared->handled;
}

void handle(int number, int flags) {
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = flags;
  REQUIRE(sigaction(number, &action, nullptr) == 0);
}

void stop_and_continue(pid_t pid) {
  kill(pid, SIGSTOP);
  wait_for_state(pid, 'T');
  kill(pid, SIGCONT);
}

struct Outcome {
  long result;
  bool released;
  int handled;
};

/// Makes the call in a child, meets it with `disturb` when it sleeps, and releases it if it sleeps
/// again.
template <class Disturb>
Outcome disturbed(const Known& known, timespec patience, Disturb disturb) {
  *shared = {};
  REQUIRE(pipe(ends) == 0);
  mkfifo("/tmp/restarts-fifo", 0600);
  locked = open(lock_path, O_RDWR | O_CREAT, 0600);
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  REQUIRE(fcntl(locked, F_SETLK, &lock) == 0 && flock(locked, LOCK_EX) == 0);
  if (known.call == do_write) {
    static char full[1 << 16];
    REQUIRE(write(ends[1], full, sizeof full) == sizeof full);
  }
  pid_t child = check::start_child([&] {
    handle(SIGUSR2, 0);
    long got = known.call(patience);
    shared->result = got < 0 ? -errno : got;
    shared->was_released = shared->released;
    return 0;
  });
  wait_for_state(child, 'S');
  disturb(child);
  wait_for_state(child, 'S');
  if (known.release && state_of(child) == 'S') {
    shared->released = 1;
    known.release(child);
  }
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  CHECK_EXITED(status, 0);
  close(ends[0]);
  close(ends[1]);
  close(locked);
  unlink("/tmp/restarts-fifo");
  unlink(lock_path);
  return {shared->result, known.release ? shared->was_released : shared->result == known.result,
          shared->handled};
}

void prepare() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(page != MAP_FAILED);
  shared = static_cast<Shared*>(page);
}

/// It must end as if nothing had happened.
template <class Disturb>
void goes_on(const Known& known, Disturb disturb) {
  Outcome outcome = disturbed(known, known.release ? minute : tenth, disturb);
  bool good = CHECK_EQ(outcome.result, known.result);
  good &= CHECK(outcome.released);
  if (!good) check::say("  %s did not go on\n", known.name);
}

template <class Disturb>
void gives_up(const Known& known, Disturb disturb) {
  Outcome outcome = disturbed(known, minute, disturb);
  bool good = CHECK_EQ(outcome.result, -EINTR);
  good &= CHECK(!outcome.released) & CHECK_EQ(outcome.handled, 1);
  if (!good) check::say("  %s did not give up\n", known.name);
}

}  // namespace

TEST(a_stop_ends_no_call) {
  prepare();
  for (const Known& known : calls) goes_on(known, stop_and_continue);
}

TEST(ignored_signals_end_no_call) {
  prepare();
  signal(SIGUSR1, SIG_IGN);
  for (const Known& known : calls)
    goes_on(known, [](pid_t child) {
      for (int number : {SIGUSR1, SIGCHLD, SIGWINCH, SIGURG, SIGCONT}) kill(child, number);
    });
}

TEST(blocked_signals_end_no_call) {
  prepare();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  handle(SIGUSR1, 0);
  for (const Known& known : calls) {
    auto disturb = [](pid_t child) { kill(child, SIGUSR1); };
    known.call == do_sigsuspend ? gives_up(known, disturb) : goes_on(known, disturb);
  }
}

TEST(a_handler_without_sa_restart_ends_each_call) {
  prepare();
  handle(SIGUSR1, 0);
  for (const Known& known : calls) gives_up(known, [](pid_t child) { kill(child, SIGUSR1); });
}

TEST(a_handler_with_sa_restart_ends_some) {
  prepare();
  handle(SIGUSR1, SA_RESTART);
  for (const Known& known : calls) {
    auto disturb = [](pid_t child) { kill(child, SIGUSR1); };
    known.way == with_flag ? goes_on(known, disturb) : gives_up(known, disturb);
  }
}

TEST(a_stop_ends_sigtimedwait_but_an_ignored_signal_does_not) {
  prepare();
  const Known known = {"sigtimedwait", do_sigtimedwait, with_flag, nullptr, -EAGAIN};
  CHECK_EQ(disturbed(known, minute, stop_and_continue).result, -EINTR);
  goes_on(known, [](pid_t child) { kill(child, SIGWINCH); });
}

// A time that began anew at each stop would never be over.
TEST(stopped_calls_keep_their_deadline) {
  prepare();
  for (const Known& known : calls) {
    if (known.release) continue;
    *shared = {};
    pid_t child = check::start_child([&known] {
      timespec begin, end;
      clock_gettime(CLOCK_MONOTONIC, &begin);
      long got = known.call(tenth);
      CHECK_EQ(got < 0 ? -errno : got, known.result);
      clock_gettime(CLOCK_MONOTONIC, &end);
      CHECK((end.tv_sec - begin.tv_sec) * 1'000'000'000 + end.tv_nsec - begin.tv_nsec >=
            tenth.tv_nsec);
      return 0;
    });
    int status = -1, stops = 0;
    for (; waitpid(child, &status, WNOHANG) == 0 && stops < 200; ++stops) {
      stop_and_continue(child);
      usleep(20'000);
    }
    if (!CHECK_EXITED(status, 0)) {
      check::say("  %s began anew\n", known.name);
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }
}

// The time that is left is told in the program's memory; where it cannot be, the call fails.
TEST(select_with_its_time_in_read_only_memory_is_not_made_again) {
  prepare();
  static timeval* time;
  time = (timeval*)mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *time = {60, 0};
  REQUIRE(mprotect(time, 4096, PROT_READ) == 0);
  const Known known = {
      "select",
      [](timespec) -> long { return syscall(SYS_select, 0, nullptr, nullptr, nullptr, time); },
      unless_handled, nullptr, 0};
  CHECK_EQ(disturbed(known, minute, stop_and_continue).result, -EINTR);
}

TEST(what_is_left_of_a_sleep_is_told) {
  prepare();
  handle(SIGUSR1, SA_RESTART);
  static timespec left;
  const Known known = {"nanosleep",
                       [](timespec patience) -> long {
                         long got = syscall(SYS_nanosleep, &patience, &left);
                         CHECK(left.tv_sec < 60 && left.tv_sec >= 1);
                         return got;
                       },
                       unless_handled, nullptr, 0};
  gives_up(known, [](pid_t child) {
    stop_and_continue(child);
    wait_for_state(child, 'S');
    kill(child, SIGUSR1);
  });
}

TEST(restart_syscall_has_nothing_to_restart) {
  CHECK_ERRNO(syscall(SYS_restart_syscall), EINTR);
  // A handler has ended this one: it is over.
  prepare();
  handle(SIGUSR1, SA_RESTART);
  const Known known = {"nanosleep",
                       [](timespec patience) -> long {
                         long got = syscall(SYS_nanosleep, &patience, nullptr);
                         CHECK_ERRNO(syscall(SYS_restart_syscall), EINTR);
                         return got;
                       },
                       unless_handled, nullptr, 0};
  gives_up(known, [](pid_t child) { kill(child, SIGUSR1); });
}

// -- Masks for as long as a call takes.

static void block_and_raise() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
  handle(SIGUSR1, SA_RESTART);
  REQUIRE(raise(SIGUSR1) == 0);
}

TEST(a_call_that_need_not_wait_takes_no_signal_its_mask_lets_in) {
  prepare();
  block_and_raise();
  uint64_t none = 0;
  pollfd asked = {1, POLLOUT, 0};
  timespec long_time = minute;
  CHECK_EQ(syscall(SYS_ppoll, &asked, 1, &long_time, &none, 8), 1);
  CHECK_EQ(shared->handled, 0);
  struct {
    uint64_t* mask;
    size_t bytes;
  } mask = {&none, 8};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(1, &set);
  CHECK_EQ(syscall(SYS_pselect6, 2, nullptr, &set, nullptr, &long_time, &mask), 1);
  CHECK_EQ(shared->handled, 0);
  uint64_t pending = 0;
  CHECK_EQ(syscall(SYS_rt_sigpending, &pending, 8), 0);
  CHECK_EQ(pending, 1ul << (SIGUSR1 - 1));
}

TEST(a_signal_that_a_mask_lets_in_comes_before_the_end_of_no_time) {
  for (bool by_select : {false, true}) {
    prepare();
    block_and_raise();
    uint64_t none = 0;
    timespec no_time = {};
    struct {
      uint64_t* mask;
      size_t bytes;
    } mask = {&none, 8};
    if (by_select)
      CHECK_ERRNO(syscall(SYS_pselect6, 0, nullptr, nullptr, nullptr, &no_time, &mask), EINTR);
    else
      CHECK_ERRNO(syscall(SYS_ppoll, nullptr, 0, &no_time, &none, 8), EINTR);
    CHECK_EQ(shared->handled, 1);
  }
}
