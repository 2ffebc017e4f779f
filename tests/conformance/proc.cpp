// Conformance, /proc: what it says of processes and of open files.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "check.h"

static char text[16384];

static int slurp(const char* path) {
  int fd = open(path, O_RDONLY), size = 0, got;
  if (fd < 0) return -1;
  while ((got = read(fd, text + size, sizeof text - 1 - size)) > 0) size += got;
  close(fd);
  text[size] = '\0';
  return size;
}

static bool link_is(const char* path, const char* wanted) {
  char target[256];
  ssize_t length = readlink(path, target, sizeof target - 1);
  target[length < 0 ? 0 : length] = '\0';
  if (strcmp(target, wanted) != 0) check::say("  %s is %s\n", path, target);
  return strcmp(target, wanted) == 0;
}

static const char* path_of(pid_t pid, const char* name) {
  static char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return path;
}

TEST(self_is_the_current_process) {
  char pid[16];
  snprintf(pid, sizeof pid, "%d", getpid());
  CHECK(link_is("/proc/self", pid));
  CHECK_EXITED(check::in_child([] {
                 char own[16];
                 snprintf(own, sizeof own, "%d", getpid());
                 return link_is("/proc/self", own) ? 0 : 1;
               }),
               0);
}

TEST(stat_names_state_and_family) {
  prctl(PR_SET_NAME, "with space)");
  pid_t child = check::start_child([] {
    for (;;) pause();
    return 0;
  });
  int pid, parent, group, session;
  char state;
  kill(child, SIGSTOP);
  waitpid(child, nullptr, WUNTRACED);
  for (char wanted : {'T', 'Z'}) {
    CHECK(slurp(path_of(child, "stat")) > 0);
    char* end = strrchr(text, ')');
    REQUIRE(end && sscanf(text, "%d (with space", &pid) == 1);
    CHECK_EQ(sscanf(end + 1, " %c %d %d %d", &state, &parent, &group, &session), 4);
    CHECK_EQ(pid, child);
    CHECK_EQ(parent, getpid());
    CHECK_EQ(group, getpgrp());
    CHECK_EQ(session, getsid(0));
    CHECK_EQ(state, wanted);
    int fields = 3;
    for (char* at = end + 2; *at; ++at) fields += *at == ' ';
    CHECK_EQ(fields, 52);
    kill(child, SIGKILL);
    siginfo_t info;
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  }
  CHECK_EQ(slurp(path_of(child, "cmdline")), 0);
  waitpid(child, nullptr, 0);
  CHECK_ERRNO(slurp(path_of(child, "stat")), ENOENT);
}

TEST(status_names_the_groups) {
  gid_t groups[] = {20, 30};
  REQUIRE(setgroups(2, groups) == 0);
  CHECK(slurp("/proc/self/status") > 0);
  CHECK(strstr(text, "\nGroups:\t20 30 \n"));
  REQUIRE(setgroups(0, nullptr) == 0);
  CHECK(slurp("/proc/self/status") > 0);
  CHECK(strstr(text, "\nGroups:\t \n"));
}

TEST(status_has_the_fields_that_are_read) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
  signal(SIGUSR2, SIG_IGN);
  CHECK(slurp("/proc/self/status") > 0);
  char line[64];
  snprintf(line, sizeof line, "\nPid:\t%d\nPPid:\t%d\n", getpid(), getppid());
  CHECK(strstr(text, line));
  for (const char* wanted : {"Name:\t", "\nState:\tR (running)\n", "\nUid:\t0\t0\t0\t0\n",
                             "\nVmRSS:\t", "\nThreads:\t1\n", "\nSigBlk:\t0000000000000000\n"})
    if (!CHECK(strstr(text, wanted))) check::say("  no %s\n", wanted);
  CHECK_EQ(strtoul(strstr(text, "SigIgn:") + 7, nullptr, 16) & (1ul << (SIGUSR2 - 1)),
           1ul << (SIGUSR2 - 1));
  CHECK_EQ(strtoul(strstr(text, "SigCgt:") + 7, nullptr, 16) & (1ul << (SIGUSR1 - 1)),
           1ul << (SIGUSR1 - 1));
}

TEST(programs_are_named) {
  CHECK(link_is("/proc/self/exe", check::self_path));
  CHECK(slurp("/proc/self/cmdline") > 0);
  CHECK_EQ(strcmp(text, check::self_path), 0);
  prctl(PR_SET_NAME, "renamed");
  CHECK_EQ(slurp("/proc/self/comm"), 8);
  CHECK_EQ(strcmp(text, "renamed\n"), 0);
}

TEST(open_files_have_their_paths) {
  int ends[2], moved;
  char wanted[64];
  REQUIRE(pipe(ends) == 0);
  for (int fd = 10; fd < 20; ++fd) close(fd);
  mkdir("/tmp/proc-test", 0700);
  int file = open("/tmp/../tmp/proc-test/a", O_RDWR | O_CREAT, 0600);
  REQUIRE(dup2(file, 10) == 10 && dup2(ends[0], 11) == 11);
  REQUIRE(dup2(open("/dev/null", O_RDONLY), 12) == 12);
  REQUIRE(dup2(open("/tmp/proc-test", O_RDONLY), 13) == 13);
  CHECK(link_is("/proc/self/fd/10", "/tmp/proc-test/a"));
  struct stat inode;
  fstat(11, &inode);
  snprintf(wanted, sizeof wanted, "pipe:[%lu]", (unsigned long)inode.st_ino);
  CHECK(link_is("/proc/self/fd/11", wanted));
  CHECK(link_is("/proc/self/fd/12", "/dev/null"));
  CHECK(link_is("/proc/self/fd/13", "/tmp/proc-test"));
  moved = rename("/tmp/proc-test/a", "/tmp/proc-test/b");
  CHECK_EQ(moved, 0);
  CHECK(link_is("/proc/self/fd/10", "/tmp/proc-test/b"));
  CHECK(open("/proc/self/fd/10", O_RDONLY) >= 0);
  CHECK_EQ(chdir("/tmp/proc-test"), 0);
  CHECK(link_is("/proc/self/cwd", "/tmp/proc-test"));
  CHECK(link_is("/proc/self/root", "/"));
  CHECK_ERRNO(readlink("/proc/self/fd/99", wanted, sizeof wanted), ENOENT);
  unlink("/tmp/proc-test/b");
  rmdir("/tmp/proc-test");
}

TEST(another_process_shows_its_files) {
  int ends[2];
  char c, wanted[64];
  REQUIRE(pipe(ends) == 0);
  pid_t child = check::start_child([&ends] {
    dup2(open("/dev/zero", O_RDONLY), 20);
    if (write(ends[1], "x", 1) != 1) return 1;
    for (;;) pause();
    return 0;
  });
  CHECK_EQ(read(ends[0], &c, 1), 1);
  CHECK(link_is(path_of(child, "fd/20"), "/dev/zero"));
  snprintf(wanted, sizeof wanted, "/proc/%d", child);
  DIR* folder = opendir("/proc");
  bool found = false;
  while (dirent* entry = readdir(folder)) found |= strcmp(entry->d_name, wanted + 6) == 0;
  closedir(folder);
  CHECK(found);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK_ERRNO(open(wanted, O_RDONLY), ENOENT);
}

TEST(maps_tell_what_is_mapped) {
  char* map = (char*)mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(map + 4096, 4096, PROT_NONE);
  char line[64];
  CHECK(slurp("/proc/self/maps") > 0);
  snprintf(line, sizeof line, "%lx ---p 00000000 00:00 0", (unsigned long)map + 8192);
  CHECK(strstr(text, line));
  CHECK(strstr(text, "[stack]"));
  CHECK(strstr(text, " r-xp "));
}

TEST(the_machine_is_described) {
  for (const char* path :
       {"/proc/meminfo", "/proc/uptime", "/proc/loadavg", "/proc/stat", "/proc/version",
        "/proc/sys/kernel/ostype", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/pid_max"})
    if (!CHECK(slurp(path) > 0)) check::say("  %s\n", path);
  slurp("/proc/sys/kernel/ostype");
  CHECK_EQ(strcmp(text, "Linux\n"), 0);
  slurp("/proc/stat");
  CHECK_EQ(strncmp(text, "cpu  ", 5), 0);
  CHECK(strstr(text, "\nbtime "));
  CHECK_ERRNO(open("/proc/no-such-file", O_RDONLY), ENOENT);
  CHECK_ERRNO(mkdir("/proc/1x", 0700), ENOENT);
}
