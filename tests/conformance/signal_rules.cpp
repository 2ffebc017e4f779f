// Conformance, the rules around signals: what each does by default, what a parent learns of a
// child, which calls restart, queued signals, job control. Handlers and masks are in signals.cpp.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "check.h"

static volatile int count, on_third = -1;  // written to at the third signal
static volatile siginfo_t last;

static void note(int, siginfo_t* info, void*) {
  ++count;
  memcpy((void*)&last, info, sizeof *info);
  if (count == 3 && on_third >= 0 && write(on_third, "x", 1) != 1) _exit(71);
}

static void handle(int number, int flags = 0) {
  struct sigaction action = {};
  action.sa_sigaction = note;
  action.sa_flags = SA_SIGINFO | flags;
  REQUIRE(sigaction(number, &action, nullptr) == 0);
}

static void block(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
}

static int wait_status(pid_t pid, int options) {
  int status = -1;
  while (waitpid(pid, &status, options) < 0 && errno == EINTR) {
  }
  return status;
}

TEST(each_signal_has_its_default_action) {
  for (int number = 1; number < 32; ++number) {
    if (number == SIGCONT) continue;
    pid_t child = check::start_child([number] {
      setpgid(0, 0);  // under a parent in another group: not orphaned
      kill(getpid(), number);
      return 33;
    });
    int status = wait_status(child, WUNTRACED);
    check::say("  %d: %s %d\n", number,
               WIFEXITED(status)    ? "ignored"
               : WIFSTOPPED(status) ? "stopped"
                                    : "killed",
               WIFSTOPPED(status)    ? WSTOPSIG(status)
               : WIFSIGNALED(status) ? WTERMSIG(status)
                                     : 0);
    if (!WIFSTOPPED(status)) continue;
    kill(child, SIGKILL);
    wait_status(child, 0);
  }
  for (int number : {SIGRTMIN, SIGRTMAX})
    CHECK_KILLED(check::in_child([number] { return raise(number); }), number);
}

TEST(a_parent_learns_what_became_of_its_child) {
  handle(SIGCHLD);
  block(SIGCHLD);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  auto next = [&](pid_t child, int code, int status) {
    siginfo_t info = {};
    CHECK_EQ(sigwaitinfo(&set, &info), SIGCHLD);
    CHECK_EQ(info.si_pid, child);
    CHECK_EQ(info.si_code, code);
    CHECK_EQ(info.si_status, status);
    CHECK_EQ(info.si_uid, getuid());
  };
  pid_t child = check::start_child([] {
    for (;;) pause();
    return 0;
  });
  kill(child, SIGSTOP);
  next(child, CLD_STOPPED, SIGSTOP);
  CHECK_EQ(WSTOPSIG(wait_status(child, WUNTRACED)), SIGSTOP);
  kill(child, SIGCONT);
  next(child, CLD_CONTINUED, SIGCONT);
  CHECK(WIFCONTINUED(wait_status(child, WCONTINUED)));
  kill(child, SIGTERM);
  next(child, CLD_KILLED, SIGTERM);
  CHECK_KILLED(wait_status(child, 0), SIGTERM);
  child = check::start_child([] { return 7; });
  next(child, CLD_EXITED, 7);
  siginfo_t info = {};
  CHECK_EQ(waitid(P_PID, child, &info, WEXITED | WNOWAIT), 0);
  CHECK_EQ(info.si_status, 7);
  CHECK_EXITED(wait_status(child, 0), 7);
}

TEST(stops_are_kept_quiet_with_nocldstop) {
  handle(SIGCHLD, SA_NOCLDSTOP);
  pid_t child = check::start_child([] {
    for (;;) pause();
    return 0;
  });
  kill(child, SIGSTOP);
  wait_status(child, WUNTRACED);
  kill(child, SIGCONT);
  wait_status(child, WCONTINUED);
  CHECK_EQ(count, 0);
  kill(child, SIGKILL);
  wait_status(child, 0);
  CHECK_EQ(count, 1);
}

TEST(nocldwait_leaves_no_zombies_but_tells) {
  handle(SIGCHLD, SA_NOCLDWAIT);
  check::start_child([] { return 1; });
  CHECK_ERRNO(wait_status(-1, 0) == -1 && errno == ECHILD ? -1 : 0, ECHILD);
  CHECK_EQ(count, 1);
}

TEST(nodefer_lets_a_handler_be_interrupted_by_its_own_signal) {
  static int depth, deepest;
  struct sigaction action = {};
  action.sa_flags = SA_NODEFER;
  action.sa_handler = [](int) {
    if (++depth > deepest) deepest = depth;
    if (depth < 3) raise(SIGUSR1);
    --depth;
  };
  REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
  raise(SIGUSR1);
  CHECK_EQ(deepest, 3);
}

TEST(values_travel_with_queued_signals) {
  handle(SIGUSR1);
  union sigval value = {};
  value.sival_int = 4711;
  CHECK_EQ(sigqueue(getpid(), SIGUSR1, value), 0);
  CHECK_EQ(last.si_code, SI_QUEUE);
  CHECK_EQ(last.si_value.sival_int, 4711);
  CHECK_EQ(last.si_pid, getpid());
}

TEST(real_time_signals_queue_in_order) {
  static int seen[8], number_seen;
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  sigfillset(&action.sa_mask);
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    seen[number_seen++] = info->si_value.sival_int;
  };
  REQUIRE(sigaction(SIGRTMIN, &action, nullptr) == 0);
  REQUIRE(sigaction(SIGRTMIN + 1, &action, nullptr) == 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  sigaddset(&set, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  for (int i = 0; i < 4; ++i) {
    union sigval value = {};
    value.sival_int = i;
    sigqueue(getpid(), i < 2 ? SIGRTMIN + 1 : SIGRTMIN, value);
  }
  // With both, the lower one's handler runs last, so all that counts is each one's own order.
  sigset_t first;
  sigemptyset(&first);
  sigaddset(&first, SIGRTMIN);
  sigprocmask(SIG_UNBLOCK, &first, nullptr);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  CHECK_EQ(number_seen, 4);
  for (int i = 0; i < 4; ++i) CHECK_EQ(seen[i], (i + 2) % 4);
}

// A child sends the signal again and again, so one comes after the call began, whenever that is.
template <class Call>
static void while_interrupted(int flags, Call call) {
  handle(SIGUSR1, flags);
  count = 0;
  pid_t parent = getpid();
  pid_t child = check::start_child([parent] {
    do usleep(20'000);
    while (kill(parent, SIGUSR1) == 0);
    return 0;
  });
  call();
  CHECK(count > 0);
  kill(child, SIGKILL);
  wait_status(child, 0);
}

TEST(poll_select_pause_and_sigtimedwait_never_restart) {
  timespec minute = {60, 0};
  while_interrupted(SA_RESTART, [] { CHECK_ERRNO(poll(nullptr, 0, 60'000), EINTR); });
  while_interrupted(SA_RESTART, [&] {
    CHECK_ERRNO(pselect(0, nullptr, nullptr, nullptr, &minute, nullptr), EINTR);
  });
  while_interrupted(SA_RESTART, [] { CHECK_ERRNO(pause(), EINTR); });
  while_interrupted(SA_RESTART, [&] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK_ERRNO(sigtimedwait(&set, nullptr, &minute), EINTR);
  });
  while_interrupted(SA_RESTART, [&] {
    timespec left = {};
    CHECK_ERRNO(nanosleep(&minute, &left), EINTR);
    CHECK(left.tv_sec >= 1 && left.tv_sec < 60);
  });
  while_interrupted(SA_RESTART, [&] {
    timespec left = {};
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &minute, &left), EINTR);
    CHECK(left.tv_sec < 60);
  });
}

TEST(waiting_restarts_when_asked) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = check::start_child([&ends] {
    char byte;
    return read(ends[0], &byte, 1) == 1 ? 3 : 4;
  });
  on_third = ends[1];
  while_interrupted(SA_RESTART, [child] {
    int status = 0;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EXITED(status, 3);
  });
}

TEST(faults_beyond_a_files_end) {
  static siginfo_t fault;
  int fd = open("/tmp/short-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  unlink("/tmp/short-file");
  REQUIRE(fd >= 0 && ftruncate(fd, 100) == 0);
  char* map = (char*)mmap(nullptr, 8192, PROT_READ, MAP_SHARED, fd, 0);
  REQUIRE(map != MAP_FAILED);
  CHECK_EQ(map[4000], 0);
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    fault = *info;
    mmap((void*)((uintptr_t)info->si_addr & ~4095ul), 4096, PROT_READ,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  };
  sigaction(SIGBUS, &action, nullptr);
  CHECK_EQ(*(volatile char*)(map + 4096 + 17), 0);
  CHECK_EQ(fault.si_signo, SIGBUS);
  CHECK_EQ(fault.si_code, BUS_ADRERR);
  CHECK_EQ((char*)fault.si_addr - map, 4096 + 17);
}

TEST(orphaned_groups_do_not_stop_by_themselves) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = check::start_child([&ends] {
    setsid();
    pid_t grandchild = check::start_child([&ends] {
      raise(SIGTSTP);  // nobody could continue it
      return write(ends[1], "x", 1) == 1 ? 0 : 1;
    });
    return WEXITSTATUS(wait_status(grandchild, WUNTRACED));
  });
  CHECK_EXITED(wait_status(child, 0), 0);
  char c = 0;
  CHECK_EQ(read(ends[0], &c, 1), 1);
}

TEST(an_orphaned_group_of_stopped_processes_is_woken) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = check::start_child([&ends] {
    setsid();
    pid_t grandchild = check::start_child([&ends] {
      setpgid(0, 0);
      handle(SIGHUP);
      raise(SIGSTOP);
      char seen = (char)('0' + count);
      return write(ends[1], &seen, 1) == 1 ? 0 : 1;
    });
    setpgid(grandchild, grandchild);
    wait_status(grandchild, WUNTRACED);
    return 0;  // its group is orphaned now, and stopped: SIGHUP and SIGCONT
  });
  CHECK_EXITED(wait_status(child, 0), 0);
  close(ends[1]);
  char seen = 0;
  CHECK_EQ(read(ends[0], &seen, 1), 1);
  CHECK_EQ(seen, '1');
}

TEST(signals_to_groups_reach_all_members) {
  pid_t first = check::start_child([] {
    setpgid(0, 0);
    for (;;) pause();
    return 0;
  });
  setpgid(first, first);
  pid_t second = check::start_child([] {
    for (;;) pause();
    return 0;
  });
  CHECK_EQ(setpgid(second, first), 0);
  CHECK_EQ(kill(-first, 0), 0);
  CHECK_EQ(killpg(first, SIGTERM), 0);
  CHECK_KILLED(wait_status(first, 0), SIGTERM);
  CHECK_KILLED(wait_status(second, 0), SIGTERM);
  CHECK_ERRNO(kill(-first, 0), ESRCH);
  CHECK_ERRNO(kill(getpid(), 65), EINVAL);
  CHECK_ERRNO(kill(getpid(), -1), EINVAL);
}

TEST(a_stopped_process_is_killed_but_not_woken_by_others) {
  pid_t child = check::start_child([] {
    raise(SIGSTOP);
    return 9;
  });
  wait_status(child, WUNTRACED);
  kill(child, SIGTERM);  // waits for SIGCONT
  int status = 0;
  CHECK_EQ(waitpid(child, &status, WNOHANG | WUNTRACED), 0);
  kill(child, SIGCONT);
  CHECK_KILLED(wait_status(child, 0), SIGTERM);
  child = check::start_child([] {
    raise(SIGSTOP);
    return 9;
  });
  wait_status(child, WUNTRACED);
  kill(child, SIGKILL);
  CHECK_KILLED(wait_status(child, 0), SIGKILL);
}
