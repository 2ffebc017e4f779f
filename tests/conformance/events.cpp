// Conformance, files that are there to be waited for: eventfd, timerfd, signalfd, pidfd.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "check.h"

namespace {

unsigned long take(int fd) {
  unsigned long value = 0;
  return read(fd, &value, 8) == 8 ? value : 0;
}
long give(int fd, unsigned long value) {
  return write(fd, &value, 8);
}
short state(int fd) {
  pollfd one = {fd, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM, 0};
  return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}
long pidfd_open(pid_t pid, unsigned flags = 0) {
  return syscall(SYS_pidfd_open, pid, flags);
}
long pidfd_send(long fd, int signal, void* info = nullptr, unsigned flags = 0) {
  return syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}
void block(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}
int signal_file(int signal, int flags = 0) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return signalfd(-1, &set, flags);
}

}  // namespace

TEST(eventfd_counts) {
  int fd = eventfd(3, EFD_NONBLOCK);
  CHECK_EQ(state(fd), POLLIN | POLLOUT);
  CHECK_EQ(give(fd, 4), 8);
  CHECK_EQ(take(fd), 7);
  CHECK_EQ(state(fd), POLLOUT);
  CHECK_ERRNO(take(fd) ? 0 : -1, EAGAIN);
  CHECK_EQ(give(fd, ~0ul - 1), 8);
  CHECK_EQ(state(fd), POLLIN);
  CHECK_ERRNO(give(fd, 1), EAGAIN);
  CHECK_EQ(give(fd, 0), 8);
  CHECK_ERRNO(give(fd, ~0ul), EINVAL);
  char small[4];
  CHECK_ERRNO(read(fd, small, 4), EINVAL);
  CHECK_ERRNO(write(fd, small, 4), EINVAL);
  CHECK_ERRNO(write(fd, (void*)8, 8), EFAULT);
  CHECK_ERRNO(eventfd(0, 2), EINVAL);
}

TEST(eventfd_as_a_semaphore) {
  int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  CHECK_EQ(take(fd), 1);
  CHECK_EQ(take(fd), 1);
  CHECK_ERRNO(take(fd) ? 0 : -1, EAGAIN);
}

TEST(eventfd_blocks_until_written_or_read) {
  int fd = eventfd(0, EFD_CLOEXEC);
  CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
  pid_t child =
      check::start_child([&] { return take(fd) == 5 ? (int)(give(fd, ~0ul - 1) != 8) : 1; });
  usleep(10000);
  CHECK_EQ(give(fd, 5), 8);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
  child = check::start_child([&] { return usleep(10000), take(fd) != ~0ul - 1; });
  CHECK_EQ(give(fd, 1), 8);  // waits for the reader
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
  CHECK_EQ(take(fd), 1);
}

TEST(timerfd_expires_once) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  CHECK_ERRNO(take(fd) ? 0 : -1, EAGAIN);
  itimerspec soon = {{}, {0, 5'000'000}}, old;
  CHECK_EQ(timerfd_settime(fd, 0, &soon, nullptr), 0);
  CHECK_EQ(state(fd), 0);
  CHECK_EQ(timerfd_gettime(fd, &old), 0);
  CHECK(old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 5'000'000);
  pollfd one = {fd, POLLIN, 0};
  CHECK_EQ(poll(&one, 1, 5000), 1);
  CHECK_EQ(take(fd), 1);
  CHECK_ERRNO(take(fd) ? 0 : -1, EAGAIN);
  CHECK_EQ(timerfd_gettime(fd, &old), 0);
  CHECK_EQ(old.it_value.tv_nsec, 0);
}

TEST(timerfd_counts_what_nobody_read) {
  int fd = timerfd_create(CLOCK_REALTIME, 0);
  itimerspec often = {{0, 1'000'000}, {0, 1'000'000}};
  CHECK_EQ(timerfd_settime(fd, 0, &often, nullptr), 0);
  usleep(30000);
  CHECK(take(fd) >= 29);
  CHECK(take(fd) >= 1);
  itimerspec never = {}, old;
  CHECK_EQ(timerfd_settime(fd, 0, &never, &old), 0);
  CHECK_EQ(old.it_interval.tv_nsec, 1'000'000);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  CHECK_ERRNO(take(fd) ? 0 : -1, EAGAIN);
}

TEST(timerfd_with_an_absolute_time_that_is_past) {
  int fd = timerfd_create(CLOCK_REALTIME, 0);
  itimerspec past = {{}, {1, 0}};
  CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &past, nullptr), 0);
  CHECK_EQ(take(fd), 1);
}

TEST(timerfd_refuses) {
  CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
  CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
  CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  itimerspec bad = {{}, {0, 1'000'000'000}};
  CHECK_ERRNO(timerfd_settime(fd, 0, &bad, nullptr), EINVAL);
  CHECK_ERRNO(syscall(SYS_timerfd_settime, fd, 0, 8, nullptr), EFAULT);
  itimerspec good = {{}, {1, 0}};
  CHECK_ERRNO(timerfd_settime(fd, 8, &good, nullptr), EINVAL);
  CHECK_ERRNO(timerfd_settime(0, 0, &good, nullptr), EINVAL);
  CHECK_ERRNO(timerfd_settime(999, 0, &good, nullptr), EBADF);
  CHECK_ERRNO(syscall(SYS_timerfd_gettime, fd, 8), EFAULT);
  char small[4];
  CHECK_ERRNO(read(fd, small, 4), EINVAL);
}

TEST(signalfd_takes_pending_signals) {
  block(SIGUSR1);
  int fd = signal_file(SIGUSR1, SFD_NONBLOCK);
  CHECK_EQ(state(fd), 0);
  signalfd_siginfo info[2];
  CHECK_ERRNO(read(fd, info, sizeof info), EAGAIN);
  kill(getpid(), SIGUSR1);
  CHECK_EQ(state(fd) & POLLIN, POLLIN);
  CHECK_EQ(read(fd, info, sizeof info), (long)sizeof info[0]);
  CHECK_EQ(info[0].ssi_signo, SIGUSR1);
  CHECK_EQ(info[0].ssi_code, SI_USER);
  CHECK_EQ(info[0].ssi_pid, getpid());
  CHECK_EQ(state(fd), 0);
  CHECK_ERRNO(read(fd, info, 100), EINVAL);
}

TEST(signalfd_tells_values_and_ends_of_children) {
  block(SIGRTMIN);
  block(SIGCHLD);
  int fd = signal_file(SIGRTMIN);
  for (int i = 0; i < 3; ++i) sigqueue(getpid(), SIGRTMIN, sigval{.sival_int = i + 7});
  signalfd_siginfo info[4];
  CHECK_EQ(read(fd, info, sizeof info), (long)(3 * sizeof info[0]));
  for (int i = 0; i < 3; ++i) {
    CHECK_EQ(info[i].ssi_int, i + 7);
    CHECK_EQ(info[i].ssi_code, SI_QUEUE);
  }
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  CHECK_EQ(signalfd(fd, &set, 0), fd);
  pid_t child = check::start_child([] { return 6; });
  CHECK_EQ(read(fd, info, sizeof info), (long)sizeof info[0]);  // waits for it
  CHECK_EQ(info[0].ssi_pid, child);
  CHECK_EQ(info[0].ssi_status, 6);
  CHECK_EQ(info[0].ssi_code, CLD_EXITED);
}

TEST(signalfd_of_the_reader) {
  block(SIGUSR1);
  int fd = signal_file(SIGUSR1, SFD_NONBLOCK);
  kill(getpid(), SIGUSR1);
  signalfd_siginfo info;
  CHECK_EXITED(check::in_child(
                   [&] { return read(fd, &info, sizeof info) == -1 && errno == EAGAIN ? 3 : 4; }),
               3);
  CHECK_EQ(read(fd, &info, sizeof info), (long)sizeof info);
}

TEST(signalfd_refuses) {
  sigset_t set;
  sigemptyset(&set);
  CHECK_ERRNO(signalfd(0, &set, 0), EINVAL);
  CHECK_ERRNO(signalfd(999, &set, 0), EBADF);
  CHECK_ERRNO(signalfd(-1, &set, 1), EINVAL);
  CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_signalfd4, -1, 8, 8, 0), EFAULT);
}

TEST(pidfd_is_readable_at_the_end) {
  int gate[2];
  REQUIRE(pipe(gate) == 0);
  pid_t child = check::start_child([&] {
    char byte;
    close(gate[1]);
    return (int)read(gate[0], &byte, 1) + 5;
  });
  long fd = pidfd_open(child);
  CHECK(fd >= 0);
  CHECK_EQ(fcntl((int)fd, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(state((int)fd), 0);
  close(gate[1]);
  pollfd one = {(int)fd, POLLIN, 0};
  CHECK_EQ(poll(&one, 1, -1), 1);
  CHECK_EQ(one.revents, POLLIN);
  siginfo_t info = {};
  CHECK_EQ(waitid(P_PIDFD, fd, &info, WEXITED), 0);
  CHECK_EQ(info.si_status, 5);
  CHECK_EQ(info.si_pid, child);
  CHECK_ERRNO(waitid(P_PIDFD, fd, &info, WEXITED), ECHILD);
  CHECK_ERRNO(pidfd_send(fd, SIGTERM), ESRCH);
  CHECK_EQ(state((int)fd) & POLLIN, POLLIN);
}

TEST(pidfd_sends_signals) {
  pid_t child = check::start_child([] { return pause(); });
  long fd = pidfd_open(child, O_NONBLOCK);
  siginfo_t info = {};
  CHECK_ERRNO(waitid(P_PIDFD, fd, &info, WEXITED), EAGAIN);
  CHECK_EQ(pidfd_send(fd, 0), 0);
  CHECK_ERRNO(pidfd_send(fd, 99), EINVAL);
  CHECK_ERRNO(pidfd_send(fd, SIGTERM, nullptr, 64), EINVAL);
  CHECK_ERRNO(pidfd_send(0, SIGTERM), EBADF);
  info.si_signo = SIGUSR1;
  CHECK_ERRNO(pidfd_send(fd, SIGTERM, &info), EINVAL);
  info.si_signo = SIGTERM;
  info.si_code = SI_USER;
  CHECK_ERRNO(pidfd_send(fd, SIGTERM, &info), EPERM);
  CHECK_EQ(pidfd_send(fd, SIGKILL), 0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_KILLED(status, SIGKILL);
}

TEST(pidfd_refuses) {
  CHECK_ERRNO(pidfd_open(0), EINVAL);
  CHECK_ERRNO(pidfd_open(-1), EINVAL);
  CHECK_ERRNO(pidfd_open(getpid(), 1), EINVAL);
  CHECK_ERRNO(pidfd_open(4'000'000), ESRCH);
  char byte;
  CHECK_ERRNO(read((int)pidfd_open(getpid()), &byte, 1), EINVAL);
  siginfo_t info = {};
  CHECK_ERRNO(waitid(P_PIDFD, 0, &info, WEXITED), EBADF);
}

TEST(proc_names_them) {
  const int files[] = {eventfd(0, 0), timerfd_create(CLOCK_MONOTONIC, 0), signal_file(SIGUSR1)};
  for (int fd : files) {
    char path[40], target[64] = {};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(readlink(path, target, sizeof target - 1) > 0);
    check::say("  %s\n", target);
  }
}
