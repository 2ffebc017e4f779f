// Conformance, small calls: scheduling policies, hints on files, older and newer forms of calls
// that others make, who may do what to whose process, and the errors of each.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

static const char file_path[] = "/tmp/small-calls";

static int make_file(const char* text) {
  const int fd = open(file_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd >= 0 && write(fd, text, strlen(text)) != (ssize_t)strlen(text)) return -1;
  unlink(file_path);
  return fd;
}

TEST(policies_are_kept) {
  sched_param param = {};
  CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
  CHECK_EQ(sched_getparam(0, &param), 0);
  CHECK_EQ(param.sched_priority, 0);
  CHECK_EQ(sched_setscheduler(0, SCHED_BATCH, &param), 0);
  CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
  CHECK_EXITED(check::in_child([] { return sched_getscheduler(0); }), SCHED_BATCH);
  CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &param), 0);
  param.sched_priority = 1;
  CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, &param), EINVAL);
  CHECK_ERRNO(sched_setparam(0, &param), EINVAL);
  param.sched_priority = 100;
  CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &param), EINVAL);
  CHECK_ERRNO(sched_setscheduler(0, 77, &param), EINVAL);
  CHECK_ERRNO(sched_setscheduler(-1, SCHED_OTHER, &param), EINVAL);
  CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, nullptr), EINVAL);
  CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, (sched_param*)8), EFAULT);
  CHECK_ERRNO(sched_getscheduler(-1), EINVAL);
  CHECK_ERRNO(sched_getscheduler(30000), ESRCH);
  CHECK_ERRNO(sched_getparam(0, nullptr), EINVAL);
  CHECK_ERRNO(sched_getparam(0, (sched_param*)8), EFAULT);
}

TEST(priorities_have_bounds) {
  CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
  CHECK_EQ(sched_get_priority_min(SCHED_RR), 1);
  CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
  CHECK_EQ(sched_get_priority_min(SCHED_IDLE), 0);
  CHECK_ERRNO(sched_get_priority_max(77), EINVAL);
  CHECK_ERRNO(sched_get_priority_min(-1), EINVAL);
  timespec interval = {-1, -1};
  CHECK_EQ(sched_rr_get_interval(0, &interval), 0);
  CHECK(interval.tv_sec == 0 && interval.tv_nsec >= 0);
  CHECK_ERRNO(sched_rr_get_interval(-1, &interval), EINVAL);
  CHECK_ERRNO(sched_rr_get_interval(0, (timespec*)8), EFAULT);
}

TEST(io_priorities_are_kept) {
  constexpr int of_process = 1, idle = 3 << 13;
  CHECK_EQ(syscall(SYS_ioprio_set, of_process, 0, idle), 0);
  CHECK_EQ(syscall(SYS_ioprio_get, of_process, 0), idle);
  CHECK_EQ(syscall(SYS_ioprio_set, of_process, 0, (2 << 13) | 5), 0);
  CHECK_EQ(syscall(SYS_ioprio_get, of_process, 0), (2 << 13) | 5);
  CHECK_ERRNO(syscall(SYS_ioprio_set, of_process, 0, 1), EINVAL);
  CHECK_ERRNO(syscall(SYS_ioprio_set, of_process, 0, 5 << 13), EINVAL);
  CHECK_ERRNO(syscall(SYS_ioprio_get, 9, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_ioprio_get, of_process, 30000), ESRCH);
}

TEST(personality_is_kept) {
  CHECK_EQ(personality(0xffffffff), 0);
  CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
  CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
  CHECK_EXITED(check::in_child([] { return personality(0xffffffff) == ADDR_NO_RANDOMIZE; }), 1);
  CHECK_EQ(personality(0), ADDR_NO_RANDOMIZE);
}

TEST(the_older_getdents) {
  struct Record {
    unsigned long inode, next;
    unsigned short bytes;
    char name[];
  };
  const int fd = open("/proc/self", O_RDONLY | O_DIRECTORY);
  static char buffer[8192];
  bool maps = false, fd_folder = false;
  long got;
  CHECK_ERRNO(syscall(SYS_getdents, fd, buffer, 8), EINVAL);
  CHECK_ERRNO(syscall(SYS_getdents, fd, 8, sizeof buffer), EFAULT);
  while ((got = syscall(SYS_getdents, fd, buffer, sizeof buffer)) > 0)
    for (long at = 0; at < got;) {
      auto* record = (Record*)(buffer + at);
      const char type = buffer[at + record->bytes - 1];
      maps |= strcmp(record->name, "maps") == 0 && type == DT_REG;
      fd_folder |= strcmp(record->name, "fd") == 0 && type == DT_DIR;
      CHECK_EQ(record->bytes % 8, 0);
      at += record->bytes;
    }
  CHECK(maps && fd_folder);
  CHECK_ERRNO(syscall(SYS_getdents, make_file("x"), buffer, sizeof buffer), ENOTDIR);
}

TEST(a_removed_directory_has_no_entries) {
  static char buffer[1024];
  mkdir("/tmp/small-calls-folder", 0700);
  const int fd = open("/tmp/small-calls-folder", O_RDONLY | O_DIRECTORY);
  CHECK(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
  rmdir("/tmp/small-calls-folder");
  lseek(fd, 0, SEEK_SET);
  CHECK_ERRNO(syscall(SYS_getdents64, fd, buffer, sizeof buffer), ENOENT);
}

TEST(transfers_with_flags) {
  const int fd = make_file("abcdef");
  char text[8] = {};
  iovec part = {text, 3};
  CHECK_EQ(preadv2(fd, &part, 1, 1, 0), 3);
  CHECK_EQ(strcmp(text, "bcd"), 0);
  lseek(fd, 2, SEEK_SET);
  CHECK_EQ(preadv2(fd, &part, 1, -1, RWF_HIPRI), 3);
  CHECK_EQ(strcmp(text, "cde"), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
  CHECK_EQ(pwritev2(fd, &part, 1, 0, RWF_DSYNC), 3);
  CHECK_EQ(pwritev2(fd, &part, 1, -1, RWF_SYNC), 3);
  CHECK_EQ(lseek(fd, 0, SEEK_END), 8);
  CHECK_ERRNO(preadv2(fd, &part, 1, 0, 0x4000), EOPNOTSUPP);
  CHECK_ERRNO(preadv2(fd, &part, 1, -2, 0), EINVAL);
  CHECK_ERRNO(preadv2(99, &part, 1, 0, 0), EBADF);
  CHECK_ERRNO(preadv2(fd, (iovec*)8, 1, 0, 0), EFAULT);
}

TEST(hints_are_taken) {
  const int fd = make_file("abc"), nothing = open("/dev/null", O_RDWR);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK_EQ(readahead(fd, 0, 100), 0);
  CHECK_ERRNO(readahead(ends[0], 0, 100), EINVAL);
  CHECK_ERRNO(readahead(99, 0, 100), EBADF);
  CHECK_EQ(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
  CHECK_ERRNO(sync_file_range(fd, -1, 0, SYNC_FILE_RANGE_WRITE), EINVAL);
  CHECK_ERRNO(sync_file_range(fd, 0, 0, 8), EINVAL);
  CHECK_ERRNO(sync_file_range(ends[0], 0, 0, SYNC_FILE_RANGE_WRITE), ESPIPE);
  CHECK_ERRNO(fsync(nothing), EINVAL);
  CHECK_ERRNO(fdatasync(nothing), EINVAL);
  CHECK_ERRNO(fsync(ends[0]), EINVAL);
  CHECK_EQ(fsync(fd), 0);
}

TEST(arguments_of_statx_and_clone3) {
  struct statx told;
  CHECK_ERRNO(statx(AT_FDCWD, "/", 0, 0x80000000, &told), EINVAL);
  CHECK_ERRNO(statx(AT_FDCWD, "/", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, 0, &told), EINVAL);
  CHECK_EQ(statx(AT_FDCWD, "/", AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &told), 0);
  static unsigned char arguments[256];
  arguments[200] = 1;
  CHECK_ERRNO(syscall(SYS_clone3, arguments, sizeof arguments), E2BIG);
  CHECK_ERRNO(syscall(SYS_clone3, arguments, 63), EINVAL);
  CHECK_ERRNO(syscall(SYS_clone3, arguments, 5000), E2BIG);
  CHECK_ERRNO(syscall(SYS_clone3, 8, 64), EFAULT);
}

TEST(arguments_of_mmap) {
  const int fd = make_file("abc"), zero = open("/dev/zero", O_RDWR);
  constexpr int rw = PROT_READ | PROT_WRITE;
  CHECK_ERRNO(mmap(nullptr, 4096, rw, MAP_SHARED_VALIDATE | (1 << 10), fd, 0), EOPNOTSUPP);
  CHECK_ERRNO(mmap(nullptr, 4096, rw, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), EINVAL);
  CHECK(mmap(nullptr, 4096, rw, MAP_SHARED_VALIDATE, fd, 0) != MAP_FAILED);
  CHECK_ERRNO(mmap(nullptr, 0, rw, MAP_SHARED, fd, 0), EINVAL);
  CHECK_ERRNO(mmap(nullptr, 0, rw, MAP_SHARED, 99, 0), EBADF);
  CHECK_ERRNO(mmap(nullptr, 4096, rw, 0, fd, 0), EINVAL);
  char* own = (char*)mmap(nullptr, 8192, rw, MAP_PRIVATE, zero, 0);
  REQUIRE(own != MAP_FAILED);
  CHECK_EQ(own[5000], 0);
  own[5000] = 1;
  char* shared = (char*)mmap(nullptr, 8192, rw, MAP_SHARED, zero, 0);
  REQUIRE(shared != MAP_FAILED);
  CHECK_EXITED(check::in_child([=] {
                 shared[1] = 7;
                 own[5000] = 2;
                 return 0;
               }),
               0);
  CHECK_EQ(shared[1], 7);
  CHECK_EQ(own[5000], 1);
}

TEST(queued_to_a_thread) {
  siginfo_t info = {};
  info.si_code = SI_QUEUE;
  info.si_value.sival_int = 42;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const pid_t pid = getpid();
  CHECK_EQ(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &info), 0);
  siginfo_t got;
  CHECK_EQ(sigwaitinfo(&set, &got), SIGUSR1);
  CHECK_EQ(got.si_value.sival_int, 42);
  CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, pid, 0, SIGUSR1, &info), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, pid, 30000, SIGUSR1, &info), ESRCH);
  CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, pid, pid, 65, &info), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, 8), EFAULT);
  info.si_code = SI_USER;
  const pid_t child = check::start_child([] { return pause(); });
  CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, child, child, SIGUSR1, &info), EPERM);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

/// As another user.
template <class Body>
static int as_user(uid_t uid, Body body) {
  return check::in_child([&] {
    if (setgroups(0, nullptr) || setgid(uid) || setuid(uid)) return 71;
    return body();
  });
}

TEST(others_processes_are_let_alone) {
  const pid_t own = check::start_child([] { return pause(); });
  CHECK_EXITED(as_user(1000,
                       [own] {
                         CHECK_ERRNO(kill(own, 0), EPERM);
                         CHECK_ERRNO(kill(own, SIGTERM), EPERM);
                         CHECK_EQ(kill(own, SIGCONT), 0);  // of the same session
                         CHECK_ERRNO(syscall(SYS_tgkill, own, own, SIGTERM), EPERM);
                         CHECK_ERRNO(setpriority(PRIO_PROCESS, own, 5), EPERM);
                         CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, -1), EACCES);
                         CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
                         cpu_set_t cpus;
                         CPU_ZERO(&cpus);
                         CPU_SET(0, &cpus);
                         CHECK_ERRNO(sched_setaffinity(own, sizeof cpus, &cpus), EPERM);
                         struct rlimit limit;
                         CHECK_ERRNO(prlimit(own, RLIMIT_NOFILE, nullptr, &limit), EPERM);
                         sched_param param = {};
                         param.sched_priority = 1;
                         CHECK_ERRNO(sched_setscheduler(0, SCHED_FIFO, &param), EPERM);
                         const pid_t child = check::start_child([] { return pause(); });
                         CHECK_EQ(kill(child, SIGKILL), 0);
                         waitpid(child, nullptr, 0);
                         return 0;
                       }),
               0);
  kill(own, SIGKILL);
  waitpid(own, nullptr, 0);
}

static int call_on_stack() {
  unsigned char code[64] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov $42,%eax; ret
  __builtin___clear_cache((char*)code, (char*)code + sizeof code);
  return ((int (*)())(void*)code)();
}

TEST(the_stack_is_not_executable) {
  CHECK_KILLED(check::in_child([] { return call_on_stack(); }), SIGSEGV);
}
