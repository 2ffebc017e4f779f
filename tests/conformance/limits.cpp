// Conformance, what a process is refused at its own limits: descriptors, processes, queued signals.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include "check.h"

namespace {

constexpr uid_t somebody = 12345;  // who has nothing else

void limit(decltype(RLIMIT_NOFILE) resource, rlim_t soft) {
  struct rlimit now;
  CHECK_EQ(getrlimit(resource, &now), 0);
  if (now.rlim_max < soft) now.rlim_max = soft;
  now.rlim_cur = soft;
  CHECK_EQ(setrlimit(resource, &now), 0);
}

}  // namespace

TEST(more_descriptors_than_usual) {
  limit(RLIMIT_NOFILE, 3000);
  int last = -1;
  for (int fd; (fd = open("/dev/null", O_RDONLY)) >= 0;) last = fd;
  CHECK_EQ(errno, EMFILE);
  CHECK_EQ(last, 2999);
  CHECK_ERRNO(dup(0), EMFILE);
  CHECK_ERRNO(dup2(0, 3000), EBADF);
  CHECK_EQ(dup2(0, 2000), 2000);
  int ends[2];
  close(2999);
  CHECK_ERRNO(pipe(ends), EMFILE);
  CHECK_EQ(fcntl(0, F_DUPFD, 1000), 2999);
  CHECK_ERRNO(fcntl(0, F_DUPFD, 3000), EINVAL);
}

TEST(poll_takes_as_many_as_may_be_open) {
  static struct pollfd asked[2001];
  for (auto& entry : asked) entry = {-1, POLLIN, 0};
  limit(RLIMIT_NOFILE, 2000);
  CHECK_EQ(poll(asked, 2000, 0), 0);
  CHECK_ERRNO(poll(asked, 2001, 0), EINVAL);
}

TEST(a_lowered_limit_leaves_what_is_open) {
  CHECK_EQ(dup2(0, 500), 500);
  limit(RLIMIT_NOFILE, 100);
  CHECK_EQ(fcntl(500, F_GETFD), 0);
  CHECK_ERRNO(dup2(0, 501), EBADF);
  CHECK_EXITED(check::in_child([] { return fcntl(500, F_GETFD) == 0 ? 0 : 1; }), 0);
}

TEST(queued_signals) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  if (geteuid() == 0) CHECK_EQ(setuid(somebody), 0);
  limit(RLIMIT_SIGPENDING, 100);
  int queued = 0;
  while (queued < 200 && sigqueue(getpid(), SIGRTMIN + 3, sigval{}) == 0) ++queued;
  if (getuid() == somebody) CHECK_EQ(queued, 100);
  CHECK_EQ(errno, EAGAIN);
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);  // without its details
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGUSR1));
}

TEST(many_timers) {
  struct sigevent none = {};
  none.sigev_notify = SIGEV_NONE;
  timer_t timers[200];
  for (auto& timer : timers) CHECK_EQ(timer_create(CLOCK_MONOTONIC, &none, &timer), 0);
  CHECK_EQ(timer_delete(timers[100]), 0);
  CHECK_ERRNO(timer_delete(timers[100]), EINVAL);
  CHECK_EQ(timer_create(CLOCK_MONOTONIC, &none, &timers[100]), 0);
  for (auto& timer : timers) CHECK_EQ(timer_delete(timer), 0);
}

TEST(hard_limits_are_for_good) {
  struct rlimit lower = {50, 60};
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  if (geteuid() == 0) CHECK_EQ(setuid(somebody), 0);
  struct rlimit higher = {50, 61};
  CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &higher), EPERM);
  CHECK_ERRNO(syscall(302 /* prlimit64 */, 0, RLIMIT_NOFILE, &higher, nullptr), EPERM);
  lower.rlim_cur = 60;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
}

TEST(a_user_has_so_many_processes) {
  if (geteuid() != 0) return;  // it may have any number already
  CHECK_EQ(setuid(somebody), 0);
  limit(RLIMIT_NPROC, 5);  // with this one
  pid_t children[8];
  int made = 0;
  while (made < 8 && (children[made] = check::start_child([] { return pause(), 0; })) > 0) ++made;
  CHECK_EQ(errno, EAGAIN);
  CHECK_EQ(made, 4);
  for (int i = 0; i < made; ++i) kill(children[i], SIGKILL);
  while (wait(nullptr) > 0) {
  }
  CHECK_EXITED(check::in_child([] { return 3; }), 3);
}
