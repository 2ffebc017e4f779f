// Conformance, epoll: what is reported when, by each way of asking; files that close; nesting.
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

int add(int epoll, int fd, unsigned events, unsigned long data = 0) {
  epoll_event event = {events, {.u64 = data}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}
int change(int epoll, int fd, unsigned events, unsigned long data = 0) {
  epoll_event event = {events, {.u64 = data}};
  return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}
int remove_from(int epoll, int fd) {
  return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
}

/// The events of the one file that is ready; 0: none, -1: more.
int ready(int epoll) {
  epoll_event events[3] = {};
  const int count = epoll_wait(epoll, events, 3, 0);
  return count == 1 ? (int)events[0].events : count ? -1 : 0;
}

struct Pipe {
  Pipe() { REQUIRE(pipe2(ends, O_NONBLOCK) == 0); }
  void put(int bytes = 1) {
    char some[100] = {};
    CHECK_EQ(write(ends[1], some, bytes), bytes);
  }
  void take(int bytes = 100) {
    char some[100];
    (void)!read(ends[0], some, bytes);
  }
  int ends[2];
};

}  // namespace

TEST(level_triggered_is_told_as_long_as_it_is_so) {
  Pipe one;
  int epoll = epoll_create1(0);
  CHECK_EQ(add(epoll, one.ends[0], EPOLLIN), 0);
  CHECK_EQ(add(epoll, one.ends[1], EPOLLOUT), 0);
  CHECK_EQ(ready(epoll), EPOLLOUT);
  CHECK_EQ(remove_from(epoll, one.ends[1]), 0);
  CHECK_EQ(ready(epoll), 0);
  one.put(2);
  CHECK_EQ(ready(epoll), EPOLLIN);
  CHECK_EQ(ready(epoll), EPOLLIN);
  one.take(1);
  CHECK_EQ(ready(epoll), EPOLLIN);
  one.take();
  CHECK_EQ(ready(epoll), 0);
}

TEST(edge_triggered_is_told_when_something_comes) {
  Pipe one;
  int epoll = epoll_create1(0);
  one.put();
  CHECK_EQ(add(epoll, one.ends[0], EPOLLIN | EPOLLET), 0);
  CHECK_EQ(ready(epoll), EPOLLIN);
  CHECK_EQ(ready(epoll), 0);
  one.put();
  CHECK_EQ(ready(epoll), EPOLLIN);
  CHECK_EQ(ready(epoll), 0);
  CHECK_EQ(change(epoll, one.ends[0], EPOLLIN | EPOLLET), 0);
  CHECK_EQ(ready(epoll), EPOLLIN);
}

TEST(one_shot_is_told_once_until_changed) {
  Pipe one;
  int epoll = epoll_create1(0);
  CHECK_EQ(add(epoll, one.ends[0], EPOLLIN | EPOLLONESHOT), 0);
  one.put();
  CHECK_EQ(ready(epoll), EPOLLIN);
  one.put();
  CHECK_EQ(ready(epoll), 0);
  close(one.ends[1]);
  CHECK_EQ(ready(epoll), 0);
  CHECK_EQ(change(epoll, one.ends[0], EPOLLIN | EPOLLONESHOT), 0);
  CHECK_EQ(ready(epoll), EPOLLIN | EPOLLHUP);
}

TEST(errors_and_hang_ups_need_no_asking) {
  Pipe one;
  int epoll = epoll_create1(0);
  CHECK_EQ(add(epoll, one.ends[0], 0), 0);
  one.put();
  CHECK_EQ(ready(epoll), 0);
  close(one.ends[1]);
  CHECK_EQ(ready(epoll), EPOLLHUP);
}

TEST(data_comes_back_and_each_has_its_turn) {
  int epoll = epoll_create1(0);
  for (unsigned long i = 1; i <= 3; ++i) add(epoll, eventfd(1, 0), EPOLLIN, i << 40 | i);
  unsigned seen = 0;
  for (int i = 0; i < 3; ++i) {
    epoll_event event;
    CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
    CHECK_EQ(event.data.u64 >> 40, event.data.u64 & 0xff);
    seen |= 1u << (event.data.u64 & 0xff);
  }
  CHECK_EQ(seen, 0b1110);
}

TEST(waits_until_told_or_until_time_is_up) {
  int epoll = epoll_create1(0), event = eventfd(0, 0);
  add(epoll, event, EPOLLIN);
  epoll_event got;
  CHECK_EQ(epoll_wait(epoll, &got, 1, 20), 0);
  pid_t child = check::start_child([&] { return usleep(10000), eventfd_write(event, 1); });
  CHECK_EQ(epoll_wait(epoll, &got, 1, -1), 1);
  waitpid(child, nullptr, 0);
  timespec now = {0, 0};
  CHECK_EQ(syscall(SYS_epoll_pwait2, epoll, &got, 1, &now, nullptr, 8), 1);
}

TEST(a_handler_ends_the_wait_whatever_its_flags) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  int epoll = epoll_create1(0);
  epoll_event got;
  alarm(0);
  timer_t timer;
  timer_create(CLOCK_MONOTONIC, nullptr, &timer);
  itimerspec soon = {{}, {0, 10'000'000}};
  timer_settime(timer, 0, &soon, nullptr);
  CHECK_ERRNO(epoll_wait(epoll, &got, 1, -1), EINTR);
}

TEST(pwait_has_its_own_mask) {
  static volatile int caught;
  signal(SIGUSR1, [](int) { caught = 1; });
  sigset_t blocked, none;
  sigemptyset(&blocked);
  sigemptyset(&none);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  kill(getpid(), SIGUSR1);
  int epoll = epoll_create1(0);
  epoll_event got;
  CHECK_EQ(epoll_wait(epoll, &got, 1, 10), 0);
  CHECK_EQ(caught, 0);
  CHECK_ERRNO(epoll_pwait(epoll, &got, 1, -1, &none), EINTR);
  CHECK_EQ(caught, 1);
  sigset_t after;
  sigprocmask(SIG_BLOCK, nullptr, &after);
  CHECK_EQ(sigismember(&after, SIGUSR1), 1);
}

TEST(a_file_goes_with_its_last_descriptor) {
  Pipe one;
  int epoll = epoll_create1(0), other = dup(one.ends[0]);
  CHECK_EQ(add(epoll, one.ends[0], EPOLLIN), 0);
  one.put();
  close(one.ends[0]);
  CHECK_EQ(ready(epoll), EPOLLIN);
  CHECK_ERRNO(remove_from(epoll, one.ends[0]), EBADF);
  CHECK_ERRNO(remove_from(epoll, other), ENOENT);
  close(other);
  CHECK_EQ(ready(epoll), 0);
}

TEST(a_descriptor_and_its_duplicate_are_two) {
  Pipe one;
  int epoll = epoll_create1(0), other = dup(one.ends[0]);
  CHECK_EQ(add(epoll, one.ends[0], EPOLLIN), 0);
  CHECK_EQ(add(epoll, other, EPOLLIN), 0);
  CHECK_ERRNO(add(epoll, other, EPOLLIN), EEXIST);
  one.put();
  CHECK_EQ(ready(epoll), -1);
}

TEST(a_fork_shares_what_is_watched) {
  Pipe one;
  int epoll = epoll_create1(0);
  CHECK_EXITED(check::in_child([&] { return add(epoll, one.ends[0], EPOLLIN); }), 0);
  one.put();
  CHECK_EQ(ready(epoll), EPOLLIN);
}

TEST(an_epoll_is_watched_by_another) {
  Pipe one;
  int inner = epoll_create1(0), outer = epoll_create1(EPOLL_CLOEXEC);
  CHECK_EQ(fcntl(outer, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(add(inner, one.ends[0], EPOLLIN), 0);
  CHECK_EQ(add(outer, inner, EPOLLIN), 0);
  CHECK_EQ(ready(outer), 0);
  one.put();
  CHECK_EQ(ready(outer), EPOLLIN);
  one.take();
  CHECK_EQ(ready(outer), 0);
  one.put();
  close(inner);
  CHECK_EQ(ready(outer), 0);
}

TEST(no_circles_and_not_too_deep) {
  int a = epoll_create1(0), b = epoll_create1(0);
  CHECK_EQ(add(a, b, EPOLLIN), 0);
  CHECK_ERRNO(add(b, a, EPOLLIN), ELOOP);
  CHECK_ERRNO(add(a, a, EPOLLIN), EINVAL);
  int chain = epoll_create1(0), deep = 0;
  for (; deep < 10; ++deep) {
    int above = epoll_create1(0);
    if (add(above, chain, EPOLLIN) != 0) break;
    chain = above;
  }
  CHECK_EQ(errno, ELOOP);
  check::say("  %d deep\n", deep);
}

TEST(refusals) {
  int epoll = epoll_create1(0), event = eventfd(0, 0);
  CHECK_ERRNO(epoll_create(0), EINVAL);
  CHECK_ERRNO(epoll_create1(1), EINVAL);
  CHECK_ERRNO(add(epoll, open("/", O_RDONLY), EPOLLIN), EPERM);
  CHECK_ERRNO(add(epoll, open("/dev/null", O_RDWR), EPOLLIN), EPERM);
  CHECK_ERRNO(add(event, epoll, EPOLLIN), EINVAL);
  CHECK_ERRNO(add(epoll, 999, EPOLLIN), EBADF);
  CHECK_ERRNO(add(999, event, EPOLLIN), EBADF);
  CHECK_ERRNO(change(epoll, event, EPOLLIN), ENOENT);
  CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, event, (epoll_event*)8), EFAULT);
  CHECK_ERRNO(epoll_ctl(epoll, 77, event, (epoll_event*)&event), EINVAL);
  CHECK_ERRNO(add(epoll, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
  CHECK_EQ(add(epoll, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET), 0);
  CHECK_ERRNO(change(epoll, event, EPOLLIN), EINVAL);
  epoll_event got;
  CHECK_ERRNO(epoll_wait(epoll, &got, 0, 0), EINVAL);
  CHECK_ERRNO(epoll_wait(epoll, &got, INT_MAX, 0), EINVAL);
  CHECK_ERRNO(epoll_wait(event, &got, 1, 0), EINVAL);
  eventfd_write(event, 1);
  CHECK_ERRNO(epoll_wait(epoll, (epoll_event*)8, 1, 0), EFAULT);
  CHECK_EQ(ready(epoll), EPOLLIN);
}
