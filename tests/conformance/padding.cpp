// Conformance, the bytes of structures that tell nothing: whatever the kernel lays in a program's
// memory, what lies between and behind the fields is zero, not what happened to be in the kernel's.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>

#include "check.h"

struct Field {
  size_t at, bytes;
};

/// How many bytes outside of the fields are not zero.
template <class T>
static long told_beside(const T& value, std::initializer_list<Field> fields) {
  unsigned char copy[sizeof(T)];
  memcpy(copy, &value, sizeof copy);
  for (Field field : fields) memset(copy + field.at, 0, field.bytes);
  long told = 0;
  for (unsigned char byte : copy) told += byte != 0;
  return told;
}

/// Leaves something else than zeros wherever a kernel keeps what it is about to tell.
static void soil() {
  struct sigaction action = {};
  for (int i = 0; i < 64; ++i) {
    unsigned char bytes[128];
    memset(bytes, 0xa5, sizeof bytes);
    syscall(SYS_rt_sigqueueinfo, getpid(), SIGURG, bytes);
    sigaction(SIGURG, nullptr, &action);
  }
}

static siginfo_t last;

static void note(int number) {
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) { last = *info; };
  REQUIRE(sigaction(number, &action, nullptr) == 0);
  soil();
}

// si_signo, si_errno, si_code; then pid and uid, or a timer's number and its overruns.
static const Field head = {0, 12}, pair = {16, 8}, value = {24, 8};

TEST(a_signal_that_was_sent) {
  note(SIGUSR1);
  kill(getpid(), SIGUSR1);
  CHECK_EQ(last.si_pid, getpid());
  CHECK_EQ(told_beside(last, {head, pair}), 0);
  syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
  CHECK_EQ(last.si_code, SI_TKILL);
  CHECK_EQ(told_beside(last, {head, pair}), 0);
}

TEST(a_signal_of_the_kernel) {
  note(SIGALRM);
  itimerval soon = {{0, 0}, {0, 1000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  pause();
  CHECK_EQ(last.si_code, SI_KERNEL);
  CHECK_EQ(told_beside(last, {head}), 0);
}

TEST(a_signal_of_a_timer) {
  note(SIGUSR2);
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR2;
  event.sigev_value.sival_ptr = (void*)0x1234;
  int timer = -1;
  REQUIRE(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == 0);
  itimerspec soon = {{0, 0}, {0, 1000000}};
  REQUIRE(syscall(SYS_timer_settime, timer, 0, &soon, nullptr) == 0);
  pause();
  CHECK_EQ(last.si_code, SI_TIMER);
  CHECK_EQ(told_beside(last, {head, pair, value}), 0);
}

TEST(a_signal_of_a_child) {
  note(SIGCHLD);
  pid_t child = check::start_child([] { return 7; });
  siginfo_t info = {};
  while (waitid(P_PID, child, &info, WEXITED) != 0) REQUIRE(errno == EINTR);
  CHECK_EQ(last.si_pid, child);
  CHECK_EQ(told_beside(last, {head, pair, {24, 4}, {32, 16}}), 0);
  CHECK_EQ(info.si_status, 7);
  CHECK_EQ(told_beside(info, {head, pair, {24, 4}}), 0);
}

TEST(a_signal_of_a_fault) {
  static char* at = (char*)mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  note(SIGSEGV);
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    last = *info;
    mprotect(at, 4096, PROT_READ | PROT_WRITE);
  };
  sigaction(SIGSEGV, &action, nullptr);
  *(volatile char*)at = 1;
  CHECK(last.si_addr == at);
  CHECK_EQ(told_beside(last, {head, {16, 8}}), 0);
}

TEST(a_signal_that_was_waited_for) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  soil();
  kill(getpid(), SIGUSR1);
  siginfo_t info;
  memset(&info, 0xee, sizeof info);
  CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
  CHECK_EQ(told_beside(info, {head, pair}), 0);
}

TEST(what_calls_report) {
  soil();
  struct stat status;
  memset(&status, 0xee, sizeof status);
  REQUIRE(syscall(SYS_stat, "/", &status) == 0);
  CHECK_EQ(told_beside(status, {{0, 36}, {40, 80}}), 0);
  struct statx more;
  memset(&more, 0xee, sizeof more);
  REQUIRE(syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_BASIC_STATS, &more) == 0);
  CHECK_EQ(more.__spare0[0], 0);
  for (const auto* time : {&more.stx_atime, &more.stx_btime, &more.stx_ctime, &more.stx_mtime})
    CHECK_EQ(((const int*)time)[3], 0);
  struct sysinfo info;
  memset(&info, 0xee, sizeof info);
  REQUIRE(syscall(SYS_sysinfo, &info) == 0);
  CHECK_EQ(told_beside(info, {{0, 82}, {88, 20}}), 0);
  struct rusage usage;
  memset(&usage, 0xee, sizeof usage);
  REQUIRE(getrusage(RUSAGE_SELF, &usage) == 0);
  CHECK_EQ(usage.ru_ixrss | usage.ru_idrss | usage.ru_isrss | usage.ru_msgsnd, 0);
}

TEST(a_lock_keeps_what_the_program_had_there) {
  int fd = open("/tmp/padding", O_RDWR | O_CREAT, 0600);
  unlink("/tmp/padding");
  struct flock lock;
  memset(&lock, 0x5a, sizeof lock);
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = lock.l_len = 0;
  REQUIRE(fcntl(fd, F_GETLK, &lock) == 0);
  CHECK_EQ(lock.l_type, F_UNLCK);
  const unsigned char* bytes = (const unsigned char*)&lock;
  for (size_t i : {4, 5, 6, 7, 28, 29, 30, 31}) CHECK_EQ(bytes[i], 0x5a);
}
