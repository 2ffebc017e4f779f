// Conformance, what a process is refused at its own limits: descriptors, processes, queued signals.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

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

TEST(no_room_for_queued_signals) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  limit(RLIMIT_SIGPENDING, 0);
  CHECK_EQ(kill(getpid(), SIGRTMIN), 0);  // told, without its details
  CHECK_ERRNO(syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN + 1), EAGAIN);
  CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN + 1, sigval{}), EAGAIN);
  CHECK_EQ(sigqueue(getpid(), SIGUSR2, sigval{}), 0);
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  const pid_t child = check::start_child([] { return 7; });
  CHECK_EQ(waitpid(child, nullptr, 0), child);
  siginfo_t info;
  const timespec at_once{};
  CHECK_EQ(sigtimedwait(&all, &info, &at_once), SIGUSR1);
  CHECK_EQ(info.si_pid, getpid());
  CHECK_EQ(sigtimedwait(&all, &info, &at_once), SIGUSR2);
  CHECK_EQ(info.si_pid, 0);
  CHECK_EQ(sigtimedwait(&all, &info, &at_once), SIGCHLD);
  CHECK_EQ(info.si_pid, child);
  CHECK_EQ(info.si_status, 7);
  CHECK_EQ(sigtimedwait(&all, &info, &at_once), SIGRTMIN);
  CHECK_EQ(info.si_pid, 0);
  CHECK_ERRNO(sigtimedwait(&all, &info, &at_once), EAGAIN);
}

TEST(no_room_for_descriptors) {
  limit(RLIMIT_NOFILE, 0);
  CHECK_ERRNO(dup(0), EMFILE);
  CHECK_ERRNO(dup2(0, 1), EBADF);
  CHECK_EQ(dup2(1, 1), 1);
  CHECK_ERRNO(fcntl(0, F_DUPFD, 0), EINVAL);
  struct pollfd asked {};
  CHECK_ERRNO(poll(&asked, 1, 0), EINVAL);
  CHECK_EQ(poll(&asked, 0, 0), 0);
}

TEST(what_cannot_be_opened_is_neither_made_nor_emptied) {
  char path[] = "/tmp/limits-XXXXXX", other[] = "/tmp/limits-XXXXXX.new";
  const int fd = mkstemp(path);
  REQUIRE(fd >= 0 && write(fd, "kept", 4) == 4);
  memcpy(other, path, sizeof path - 1);
  limit(RLIMIT_NOFILE, 3);
  CHECK_ERRNO(open(path, O_RDWR | O_TRUNC), EMFILE);
  CHECK_ERRNO(open(other, O_RDWR | O_CREAT, 0600), EMFILE);
  CHECK_EQ(lseek(fd, 0, SEEK_END), 4);
  CHECK_ERRNO(access(other, F_OK), ENOENT);
  CHECK_EQ(unlink(path), 0);
}

TEST(who_shares_descriptors_has_a_limit_of_its_own) {
  const auto child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    limit(RLIMIT_NOFILE, 0);
    _exit(dup(0) == -1 ? errno : 0);
  }
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, EMFILE);
  CHECK(dup(0) >= 0);
}

TEST(select_looks_at_high_descriptors) {
  limit(RLIMIT_NOFILE, 2048);
  int ends[2];
  REQUIRE(pipe(ends) == 0 && dup2(ends[0], 1500) == 1500 && write(ends[1], "x", 1) == 1);
  unsigned long set[32] = {};
  set[1500 / 64] = 1ul << 1500 % 64;
  timeval at_once{};
  CHECK_EQ(syscall(SYS_select, 1501, set, nullptr, nullptr, &at_once), 1);
  CHECK_EQ(set[1500 / 64], 1ul << 1500 % 64);
  set[1501 / 64] |= 1ul << 1501 % 64;
  CHECK_ERRNO(syscall(SYS_select, 1502, set, nullptr, nullptr, &at_once), EBADF);
}

TEST(files_no_longer_than_so_many_bytes) {
  char path[] = "/tmp/limits-XXXXXX";
  const int fd = mkstemp(path);
  REQUIRE(fd >= 0 && unlink(path) == 0);
  signal(SIGXFSZ, SIG_IGN);
  limit(RLIMIT_FSIZE, 0);
  CHECK_ERRNO(write(fd, "x", 1), EFBIG);
  CHECK_EQ(write(fd, "", 0), 0);
  CHECK_EQ(ftruncate(fd, 0), 0);
  CHECK_ERRNO(ftruncate(fd, 1), EFBIG);
  CHECK_ERRNO(fallocate(fd, 0, 0, 1), EFBIG);
  limit(RLIMIT_FSIZE, 5);
  CHECK_EQ(write(fd, "12345678", 8), 5);
  CHECK_ERRNO(write(fd, "6", 1), EFBIG);
  CHECK_ERRNO(pwrite(fd, "6", 1, 100), EFBIG);
  CHECK_EQ(pwrite(fd, "567", 3, 4), 1);
  CHECK_EQ(ftruncate(fd, 5), 0);
  CHECK_ERRNO(ftruncate(fd, 6), EFBIG);
  limit(RLIMIT_FSIZE, RLIM_INFINITY);
  CHECK_EQ(pwrite(fd, "x", 1, 99), 1);
  limit(RLIMIT_FSIZE, 5);
  CHECK_EQ(pwrite(fd, "x", 1, 4), 1);  // it is longer than that already
  CHECK_ERRNO(pwrite(fd, "x", 1, 50), EFBIG);
  CHECK_EQ(ftruncate(fd, 50), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_END), 50);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_EQ(write(ends[1], "1234567890", 10), 10);
  signal(SIGXFSZ, SIG_DFL);
  CHECK_KILLED(check::in_child([&] { return (int)pwrite(fd, "x", 1, 5); }), SIGXFSZ);
}
