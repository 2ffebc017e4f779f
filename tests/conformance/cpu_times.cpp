// Conformance, CPU time: who has had how much, in user and in system mode, by whatever tells it.
// The shares are sampled (Linux: 1 to 10 ms apart), so programs here use some hundred milliseconds,
// and only what is much greater is asserted to be greater.
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>

#include "check.h"

struct Shares {
  long user, system;  // us
  [[nodiscard]] long all() const { return user + system; }
};

static long micros(const timeval& time) {
  return time.tv_sec * 1000000 + time.tv_usec;
}

static Shares shares(const rusage& usage) {
  return {micros(usage.ru_utime), micros(usage.ru_stime)};
}

static Shares usage(int who) {
  rusage usage = {};
  REQUIRE(getrusage(who, &usage) == 0);
  return shares(usage);
}

static long used() {
  timespec time;
  REQUIRE(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0);
  return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

constexpr long much = 400'000;  // us

static void compute(long until = much) {
  static volatile unsigned long number = 1;
  do {
    for (int i = 0; i < 10'000'000; ++i) number = number * 6364136223846793005ul + 1;
  } while (used() < until);
}

static void read_zeros(long until = much) {
  static char buffer[1 << 20];
  const int zeros = open("/dev/zero", O_RDONLY);
  REQUIRE(zeros >= 0);
  do {
    for (int i = 0; i < 8; ++i) REQUIRE(read(zeros, buffer, sizeof buffer) == sizeof buffer);
  } while (used() < until);
  close(zeros);
}

TEST(what_computes_uses_user_time) {
  compute();
  const Shares mine = usage(RUSAGE_SELF);
  CHECK(mine.all() >= much - 1);
  CHECK(mine.user > 2 * mine.system);
}

TEST(what_the_kernel_does_is_system_time) {
  read_zeros();
  const Shares mine = usage(RUSAGE_SELF);
  CHECK(mine.all() >= much - 1);
  CHECK(mine.system > 2 * mine.user);
}

TEST(neither_share_ever_goes_back) {
  Shares last = {};
  for (long until = 10'000; until < much; until += 20'000) {
    until % 40'000 ? compute(until) : read_zeros(until);
    const Shares now = usage(RUSAGE_SELF);
    CHECK(now.user >= last.user && now.system >= last.system);
    last = now;
  }
}

TEST(a_parent_gets_its_childrens_shares) {
  const pid_t child = check::start_child([] {
    read_zeros();
    return 0;
  });
  CHECK_EQ(usage(RUSAGE_CHILDREN).all(), 0);  // not waited for
  int status = -1;
  rusage told = {};
  REQUIRE(wait4(child, &status, 0, &told) == child && status == 0);
  const Shares its = shares(told), mine = usage(RUSAGE_CHILDREN);
  CHECK(its.system > 2 * its.user);
  CHECK_EQ(mine.user, its.user);
  CHECK_EQ(mine.system, its.system);
  tms ticks = {};
  REQUIRE(times(&ticks) != -1);
  CHECK_EQ(ticks.tms_cutime, its.user / 10'000);
  CHECK_EQ(ticks.tms_cstime, its.system / 10'000);
}

TEST(a_grandchilds_time_comes_with_its_parents) {
  const int status = check::in_child([] {
    CHECK_EXITED(check::in_child([] {
                   read_zeros();
                   return 0;
                 }),
                 0);
    CHECK(usage(RUSAGE_SELF).all() < much / 2);
    CHECK(usage(RUSAGE_CHILDREN).all() >= much - 1);
    return 0;
  });
  CHECK_EXITED(status, 0);
  const Shares children = usage(RUSAGE_CHILDREN);
  CHECK(children.all() >= much - 1 && children.system > 2 * children.user);
}

TEST(a_child_nobody_waits_for_leaves_nothing) {
  signal(SIGCHLD, SIG_IGN);
  const pid_t child = check::start_child([] {
    compute(50'000);
    return 0;
  });
  CHECK_ERRNO(waitpid(child, nullptr, 0), ECHILD);
  CHECK_EQ(usage(RUSAGE_CHILDREN).all(), 0);
}

TEST(waitid_tells_usage_too) {
  const pid_t child = check::start_child([] {
    compute(100'000);
    return 0;
  });
  siginfo_t info;
  rusage kept = {}, told = {};
  REQUIRE(syscall(SYS_waitid, P_PID, child, &info, WEXITED | WNOWAIT, &kept) == 0);
  CHECK(shares(kept).all() >= 99'999);
  CHECK_EQ(usage(RUSAGE_CHILDREN).all(), 0);
  REQUIRE(syscall(SYS_waitid, P_PID, child, &info, WEXITED, &told) == 0);
  CHECK_EQ(shares(told).user, shares(kept).user);
  CHECK_EQ(usage(RUSAGE_CHILDREN).all(), shares(told).all());
}

static void* compute_in_thread(void* own) {
  compute();
  *(Shares*)own = usage(RUSAGE_THREAD);
  return nullptr;
}

TEST(a_threads_time_is_its_own_and_its_processs) {
  Shares others = {};
  pthread_t thread;
  REQUIRE(pthread_create(&thread, nullptr, compute_in_thread, &others) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  const Shares mine = usage(RUSAGE_THREAD), all = usage(RUSAGE_SELF);
  CHECK(others.all() > much / 2 && others.user > 2 * others.system);
  CHECK(mine.all() < much / 2);
  CHECK(all.all() + 1 >= others.all() + mine.all());
}

/// The fields of /proc/PID/stat that come after the name: the 14th to 17th are times.
static bool stat_times(const char* path, long (&ticks)[4]) {
  char text[1024] = {};
  const int file = open(path, O_RDONLY);
  if (file < 0 || read(file, text, sizeof text - 1) <= 0) return false;
  close(file);
  const char* at = strrchr(text, ')');
  for (int field = 3; at && field <= 14; ++field) at = strchr(at + 1, ' ');
  return at && sscanf(at, "%ld %ld %ld %ld", &ticks[0], &ticks[1], &ticks[2], &ticks[3]) == 4;
}

TEST(stat_of_a_process_has_the_same) {
  CHECK_EXITED(check::in_child([] {
                 compute(200'000);
                 return 0;
               }),
               0);
  read_zeros();
  long ticks[4] = {};
  REQUIRE(stat_times("/proc/self/stat", ticks));
  const Shares children = usage(RUSAGE_CHILDREN);
  CHECK(ticks[0] + ticks[1] >= much / 10'000 - 1);
  CHECK(ticks[1] > ticks[0]);
  CHECK_EQ(ticks[2], children.user / 10'000);
  CHECK_EQ(ticks[3], children.system / 10'000);
  REQUIRE(stat_times("/proc/thread-self/stat", ticks));
  CHECK(ticks[1] > ticks[0]);
}

TEST(the_machines_time_grows_by_what_was_used) {
  auto read_machine = [](long(&ticks)[3]) {
    char text[256] = {};
    const int file = open("/proc/stat", O_RDONLY);
    REQUIRE(file >= 0 && read(file, text, sizeof text - 1) > 0);
    close(file);
    long nice;
    REQUIRE(sscanf(text, "cpu %ld %ld %ld", &ticks[0], &nice, &ticks[2]) == 3);
  };
  long before[3], between[3], after[3];
  read_machine(before);
  compute();
  read_machine(between);
  read_zeros(2 * much);
  read_machine(after);
  constexpr long ticks = much / 10'000;
  CHECK(between[0] - before[0] > ticks / 2);
  CHECK(after[2] - between[2] > ticks / 2);
}

TEST(bad_arguments) {
  rusage usage = {};
  for (int who : {2, -2, 99, 1 << 30}) CHECK_ERRNO(getrusage(who, &usage), EINVAL);
  CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_CHILDREN, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_times, 8), EFAULT);
  CHECK(syscall(SYS_times, 0) > 0);
  CHECK_ERRNO(syscall(SYS_wait4, -1, nullptr, 0, &usage), ECHILD);
  const pid_t child = check::start_child([] { return 0; });
  CHECK_ERRNO(syscall(SYS_wait4, child, nullptr, 0, 8), EFAULT);
  CHECK_ERRNO(waitpid(child, nullptr, 0), ECHILD);  // it has been waited for all the same
}
