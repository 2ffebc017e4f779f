// Conformance, the file that runs: arguments of megabytes, no writes to it meanwhile, its name
// after a rename and without any, and programs named by descriptors.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static const char copy_path[] = "/tmp/exec-files-copy";

int helper(int argc, char** argv) {
  if (argc < 1) return 50;
  if (strcmp(argv[0], "count") == 0) {
    for (int i = 2; i < argc; ++i)
      if (strcmp(argv[i], argv[1]) != 0) return 2;
    return argc == atoi(argv[1]) ? 0 : 1;
  }
  if (strcmp(argv[0], "variables") == 0) {
    int count = 0;
    for (char** at = environ; *at; ++at) count += strlen(*at) > 1000;
    return count == atoi(argv[1]) ? 0 : 1;
  }
  if (strcmp(argv[0], "comm") == 0) {
    char name[32] = {};
    int fd = open("/proc/self/comm", O_RDONLY);
    return read(fd, name, sizeof name - 1) > 0 && strcmp(name, argv[1]) == 0 ? 0 : 1;
  }
  if (strcmp(argv[0], "exe") == 0) {
    char target[256] = {};
    if (readlink("/proc/self/exe", target, sizeof target - 1) < 0) return 1;
    return strcmp(target, argv[1]) == 0 ? 0 : 2;
  }
  if (strcmp(argv[0], "sleep") == 0) {
    if (write(1000, "x", 1) != 1) return 3;
    for (;;) pause();
  }
  return 51;
}

static int copy_self() {
  int from = open(check::self_path, O_RDONLY),
      to = open(copy_path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  static char buffer[1 << 16];
  int got;
  while ((got = read(from, buffer, sizeof buffer)) > 0)
    if (write(to, buffer, got) != got) return -1;
  close(from);
  return close(to);
}

/// The copy, asleep in its main.
static pid_t start_copy() {
  int ends[2];
  char c;
  if (pipe(ends) != 0) return -1;
  const pid_t pid = check::start_child([&ends] {
    dup2(ends[1], 1000);
    char* argv[] = {(char*)copy_path, (char*)"--helper", (char*)"sleep", nullptr};
    execv(copy_path, argv);
    return 60;
  });
  close(ends[1]);
  CHECK_EQ(read(ends[0], &c, 1), 1);
  close(ends[0]);
  return pid;
}

static void end_copy(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

/// `count` arguments behind the program's name, each `text`; the helper's errno or status.
static int exec_many(int count, const char* text) {
  return check::in_child([=] {
    static char* argv[200005];
    argv[0] = (char*)check::self_path;
    argv[1] = (char*)"--helper";
    argv[2] = (char*)"count";
    for (int i = 0; i < count; ++i) argv[3 + i] = (char*)text;
    argv[3 + count] = nullptr;
    execv(check::self_path, argv);
    return errno;
  });
}

TEST(fifty_thousand_arguments) {
  CHECK_EXITED(exec_many(20000 - 1, "20000"), 0);
  CHECK_EXITED(exec_many(50000 - 1, "50000"), 0);
  CHECK_EXITED(exec_many(100000 - 1, "100000"), 0);
  CHECK_EXITED(exec_many(200000, "200000"), E2BIG);
}

TEST(long_arguments) {
  static char text[131072 + 1];
  memset(text, 'x', sizeof text - 1);
  CHECK_EXITED(exec_many(2, text), E2BIG);
  text[131071] = '\0';
  CHECK_EXITED(exec_many(14, text), 1);  // it ran
  CHECK_EXITED(exec_many(17, text), E2BIG);
}

TEST(a_large_environment) {
  CHECK_EXITED(check::in_child([] {
                 static char text[1501] = "A=";
                 memset(text + 2, 'v', sizeof text - 3);
                 static char* envp[1001];
                 for (int i = 0; i < 1000; ++i) envp[i] = text;
                 char* argv[] = {(char*)check::self_path, (char*)"--helper", (char*)"variables",
                                 (char*)"1000", nullptr};
                 execve(check::self_path, argv, envp);
                 return 60;
               }),
               0);
}

TEST(bad_pointers_among_arguments) {
  char* page =
      (char*)mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page + 4096, 4096);
  memset(page, 'y', 4096);
  char* argv[] = {(char*)"a", page, nullptr};
  CHECK_ERRNO(execv(check::self_path, argv), EFAULT);
  argv[1] = (char*)8;
  CHECK_ERRNO(execv(check::self_path, argv), EFAULT);
  CHECK_ERRNO(execv(check::self_path, (char**)(page + 4096 - 8)), EFAULT);
  CHECK_ERRNO(execve(check::self_path, nullptr, (char**)8), EFAULT);
}

TEST(who_runs_is_not_written) {
  REQUIRE(copy_self() == 0);
  const pid_t pid = start_copy();
  CHECK_ERRNO(open(copy_path, O_WRONLY), ETXTBSY);
  CHECK_ERRNO(open(copy_path, O_RDWR | O_CREAT, 0700), ETXTBSY);
  CHECK_ERRNO(open(copy_path, O_RDONLY | O_TRUNC), ETXTBSY);
  CHECK_ERRNO(truncate(copy_path, 0), ETXTBSY);
  const int reader = open(copy_path, O_RDONLY);
  CHECK(reader >= 0);
  close(reader);
  end_copy(pid);
  const int writer = open(copy_path, O_WRONLY);
  CHECK(writer >= 0);
  char* argv[] = {(char*)copy_path, nullptr};
  CHECK_ERRNO(execv(copy_path, argv), ETXTBSY);
  CHECK_EXITED(check::in_child([&argv] { return execv(copy_path, argv), errno; }), ETXTBSY);
  close(writer);
  const int path_only = open(copy_path, O_PATH | O_RDWR);
  end_copy(start_copy());
  close(path_only);
  unlink(copy_path);
}

TEST(a_zombie_lets_go) {
  REQUIRE(copy_self() == 0);
  const pid_t pid = start_copy();
  kill(pid, SIGKILL);
  siginfo_t info;
  waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
  const int writer = open(copy_path, O_WRONLY);
  CHECK(writer >= 0);
  close(writer);
  waitpid(pid, nullptr, 0);
  unlink(copy_path);
}

TEST(the_name_follows_the_file) {
  REQUIRE(copy_self() == 0);
  const pid_t pid = start_copy();
  char link[64], target[256] = {};
  snprintf(link, sizeof link, "/proc/%d/exe", pid);
  CHECK(readlink(link, target, sizeof target - 1) > 0);
  CHECK_EQ(strcmp(target, copy_path), 0);
  rename(copy_path, "/tmp/exec-files-moved");
  memset(target, 0, sizeof target);
  CHECK(readlink(link, target, sizeof target - 1) > 0);
  CHECK_EQ(strcmp(target, "/tmp/exec-files-moved"), 0);
  rename("/tmp/exec-files-moved", copy_path);
  unlink(copy_path);
  memset(target, 0, sizeof target);
  CHECK(readlink(link, target, sizeof target - 1) > 0);
  CHECK_EQ(strcmp(target, "/tmp/exec-files-copy (deleted)"), 0);
  const int still = open(link, O_RDONLY);
  CHECK(still >= 0);
  struct stat inode;
  CHECK(fstat(still, &inode) == 0 && inode.st_nlink == 0 && inode.st_size > 0);
  end_copy(pid);
}

static int exec_fd(int fd, const char* path, int flags, const char* what, const char* wanted) {
  return check::in_child([=] {
    char* argv[] = {(char*)"x", (char*)"--helper", (char*)what, (char*)wanted, nullptr};
    syscall(SYS_execveat, fd, path, argv, environ, flags);
    return errno;
  });
}

TEST(programs_by_descriptor) {
  REQUIRE(copy_self() == 0);
  const int fd = open(copy_path, O_RDONLY | O_CLOEXEC),
            folder = open("/tmp", O_RDONLY | O_DIRECTORY);
  CHECK_EXITED(exec_fd(fd, "", AT_EMPTY_PATH, "exe", copy_path), 0);
  CHECK_EXITED(exec_fd(folder, "exec-files-copy", 0, "exe", copy_path), 0);
  CHECK_EXITED(exec_fd(folder, "exec-files-copy", 0, "comm", "exec-files-copy\n"), 0);
  CHECK_EXITED(exec_fd(-1, copy_path, 0, "exe", copy_path), 0);
  CHECK_EXITED(exec_fd(AT_FDCWD, copy_path, 0, "exe", copy_path), 0);
  CHECK_EXITED(exec_fd(fd, "", 0, "exe", copy_path), ENOENT);
  CHECK_EXITED(exec_fd(-1, "", AT_EMPTY_PATH, "exe", copy_path), EBADF);
  CHECK_EXITED(exec_fd(-1, "x", 0, "exe", copy_path), EBADF);
  CHECK_EXITED(exec_fd(fd, "x", 0, "exe", copy_path), ENOTDIR);
  CHECK_EXITED(exec_fd(fd, copy_path, 0x4000, "exe", copy_path), EINVAL);
  CHECK_EXITED(exec_fd(folder, "", AT_EMPTY_PATH, "exe", copy_path), EACCES);
  unlink("/tmp/exec-files-link");
  REQUIRE(symlink(copy_path, "/tmp/exec-files-link") == 0);
  CHECK_EXITED(exec_fd(folder, "exec-files-link", 0, "exe", copy_path), 0);
  CHECK_EXITED(exec_fd(folder, "exec-files-link", AT_SYMLINK_NOFOLLOW, "exe", copy_path), ELOOP);
  unlink("/tmp/exec-files-link");
  unlink(copy_path);
  CHECK_EXITED(exec_fd(fd, "", AT_EMPTY_PATH, "count", "2"), 0);
}

TEST(programs_by_proc) {
  REQUIRE(copy_self() == 0);
  const int fd = open(copy_path, O_RDONLY);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  CHECK_EXITED(exec_fd(-1, path, 0, "exe", copy_path), 0);
  unlink(copy_path);
  CHECK_EXITED(exec_fd(-1, path, 0, "count", "2"), 0);
  char self[256] = {};
  CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  CHECK_EXITED(exec_fd(-1, "/proc/self/exe", 0, "exe", self), 0);
  CHECK_EXITED(exec_fd(-1, "/proc/self/exe", 0, "comm", "exe\n"), 0);
}
