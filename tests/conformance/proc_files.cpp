// Conformance, /proc and /sys: the files that ps, top, vmstat, free, lscpu, lsblk and debuggers
// read, by the fields that they need.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "check.h"

static char text[1 << 18];

static int slurp(const char* path) {
  int fd = open(path, O_RDONLY), size = 0, got;
  if (fd < 0) return -1;
  while ((got = read(fd, text + size, sizeof text - 1 - size)) > 0) size += got;
  close(fd);
  text[size] = '\0';
  return size;
}

static void check_has(const char* path, std::initializer_list<const char*> wanted) {
  if (!CHECK(slurp(path) > 0)) check::say("  no %s\n", path);
  for (const char* part : wanted)
    if (!CHECK(strstr(text, part))) check::say("  no %s in %s\n", part, path);
}

static long number_behind(const char* name) {
  const char* at = strstr(text, name);
  return at ? strtol(at + strlen(name), nullptr, 10) : -1;
}

// As a helper: its environment and arguments as /proc has them.
int helper(int argc, char** argv) {
  if (argc < 1) return 50;
  if (strcmp(argv[0], "environment") == 0) {
    static const char wanted[] = "ONE=1\0TWO=two words\0";
    if (slurp("/proc/self/environ") != sizeof wanted - 1) return 1;
    return memcmp(text, wanted, sizeof wanted - 1) == 0 ? 0 : 2;
  }
  if (strcmp(argv[0], "arguments") == 0) {
    int bytes = 0;
    for (const char* argument : {check::self_path, "--helper"}) bytes += strlen(argument) + 1;
    for (int i = 0; i < argc; ++i) bytes += strlen(argv[i]) + 1;
    return slurp("/proc/self/cmdline") == bytes && text[bytes - 2] == argv[1][0] ? 0 : 3;
  }
  return 51;
}

static int exec_helper(const char* what, const char* more) {
  return check::in_child([=] {
    char* argv[] = {(char*)check::self_path, (char*)"--helper", (char*)what, (char*)more, nullptr};
    char* envp[] = {(char*)"ONE=1", (char*)"TWO=two words", nullptr};
    execve(check::self_path, argv, envp);
    return 60;
  });
}

TEST(environment_and_arguments_are_whole) {
  CHECK_EXITED(exec_helper("environment", nullptr), 0);
  static char many[20000];
  memset(many, 'z', sizeof many - 1);
  CHECK_EXITED(exec_helper("arguments", many), 0);
}

TEST(arguments_are_the_memory_itself) {
  CHECK(slurp("/proc/self/cmdline") > 0);
  char* name = (char*)check::self_path;
  const char first = name[0];
  name[0] = '#';
  CHECK(slurp("/proc/self/cmdline") > 0);
  CHECK_EQ(text[0], '#');
  name[0] = first;
}

TEST(the_machine_has_its_files) {
  check_has("/proc/cpuinfo", {"processor\t: 0\n", "vendor_id\t: ", "model name\t: ", "\nflags\t\t:",
                              " sse2", " syscall", "cpu MHz\t\t: ", "address sizes\t: "});
  check_has("/proc/meminfo",
            {"MemTotal: ", "MemFree: ", "MemAvailable: ", "Buffers: ", "Cached: ", "SwapTotal: ",
             "SwapFree: ", "Slab: ", "SReclaimable: ", "Shmem: ", "Active: ", "Inactive: "});
  check_has("/proc/stat", {"cpu ", "\ncpu0 ", "\nintr ", "\nctxt ", "\nbtime ", "\nprocesses ",
                           "\nprocs_running ", "\nprocs_blocked "});
  check_has("/proc/vmstat", {"nr_free_pages ", "pgpgin ", "pswpin ", "pgfault "});
  check_has("/proc/filesystems", {"nodev\tproc\n", "nodev\tsysfs\n"});
  check_has("/proc/swaps", {"Filename", "Priority\n"});
  check_has("/proc/partitions", {"major minor  #blocks  name\n\n"});
  check_has("/proc/devices", {"Character devices:", "Block devices:"});
  check_has("/proc/version", {"Linux version "});
  check_has("/proc/mounts", {" /proc proc "});
  check_has("/proc/self/mountinfo", {" /proc "});
}

// The host's root for standalone has no /sys: there only its absence is the same. Run by itself on
// the host, this checks the host's.
TEST(sys_has_cpu_and_disks) {
  if (access("/sys", F_OK) != 0) return;
  struct stat sys, proc;
  CHECK(stat("/sys", &sys) == 0 && stat("/proc", &proc) == 0);
  CHECK(sys.st_dev != proc.st_dev);
  check_has("/sys/devices/system/cpu/online", {"0"});
  check_has("/sys/devices/system/cpu/cpu0/topology/core_id", {"0"});
  for (const char* folder : {"/sys/block", "/sys/class/block", "/sys/dev/block", "/sys/devices"}) {
    struct stat inode;
    CHECK(stat(folder, &inode) == 0 && S_ISDIR(inode.st_mode));
  }
}

TEST(numbers_of_sys) {
  for (const char* path :
       {"/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max", "/proc/sys/kernel/ngroups_max",
        "/proc/sys/vm/max_map_count", "/proc/sys/vm/mmap_min_addr", "/proc/sys/fs/file-max",
        "/proc/sys/fs/nr_open", "/proc/sys/fs/pipe-max-size"}) {
    if (!CHECK(slurp(path) > 0)) check::say("  no %s\n", path);
    CHECK(strtol(text, nullptr, 10) > 0);
  }
  CHECK_EQ(slurp("/proc/sys/kernel/random/uuid"), 37);
  char first[64];
  strcpy(first, text);
  CHECK_EQ(first[14], '4');
  CHECK_EQ(slurp("/proc/sys/kernel/random/uuid"), 37);
  CHECK(strcmp(first, text) != 0);
}

TEST(load_is_three_averages_and_the_tasks) {
  CHECK(slurp("/proc/loadavg") > 0);
  double one, five, fifteen;
  int running, all, newest;
  CHECK_EQ(sscanf(text, "%lf %lf %lf %d/%d %d", &one, &five, &fifteen, &running, &all, &newest), 6);
  CHECK(one >= 0 && five >= 0 && fifteen >= 0);
  CHECK(running >= 1 && all >= running);
  const pid_t child = check::start_child([] { return 0; });
  waitpid(child, nullptr, 0);
  CHECK(slurp("/proc/loadavg") > 0);
  CHECK_EQ(sscanf(text, "%lf %lf %lf %d/%d %d", &one, &five, &fifteen, &running, &all, &newest), 6);
  CHECK(newest >= child);
}

TEST(a_process_has_its_files) {
  check_has("/proc/self/status",
            {"\nNgid:\t", "\nFDSize:\t", "\nVmPeak:\t", "\nVmHWM:\t", "\nRssAnon:\t", "\nVmData:\t",
             "\nVmStk:\t", "\nVmSwap:\t", "\nSigQ:\t", "\nCapEff:\t", "\nNoNewPrivs:\t",
             "\nCpus_allowed_list:\t", "\nvoluntary_ctxt_switches:\t"});
  check_has("/proc/self/limits", {"Limit                     Soft Limit           Hard Limit",
                                  "\nMax open files            ", "\nMax stack size            "});
  check_has("/proc/self/io", {"rchar: ", "write_bytes: "});
  check_has("/proc/self/cgroup", {"0::/"});
  check_has("/proc/self/oom_score_adj", {"0\n"});
  check_has("/proc/self/oom_score", {"\n"});
  CHECK(slurp("/proc/self/wchan") >= 0);
  check_has("/proc/thread-self/stat", {" R "});
  check_has("/proc/self/task/../comm", {"proc_files\n"});
}

TEST(limits_are_those_in_force) {
  struct rlimit limit = {123, 456};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  check_has("/proc/self/limits",
            {"\nMax open files            123                  456                  files     \n"});
}

TEST(peak_memory_is_remembered) {
  constexpr size_t bytes = 16 << 20;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(memory, 1, bytes);
  munmap(memory, bytes);
  CHECK(slurp("/proc/self/status") > 0);
  CHECK(number_behind("\nVmHWM:\t") - number_behind("\nVmRSS:\t") > 12 * 1024);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  CHECK(usage.ru_maxrss > 16 * 1024);
}

TEST(smaps_counts_pages) {
  constexpr size_t bytes = 1 << 20;
  char* memory = (char*)mmap(nullptr, bytes + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memory += 4096;
  mprotect(memory, bytes, PROT_READ | PROT_WRITE);
  memset(memory, 1, bytes);
  CHECK(slurp("/proc/self/smaps") > 0);
  char line[64];
  snprintf(line, sizeof line, "%lx-%lx rw-p 00000000 00:00 0", (long)memory, (long)memory + bytes);
  const char* at = strstr(text, line);
  REQUIRE(at);
  memmove(text, at, strlen(at) + 1);
  CHECK_EQ(number_behind("\nSize:"), bytes / 1024);
  CHECK_EQ(number_behind("\nRss:"), bytes / 1024);
  CHECK_EQ(number_behind("\nPss:"), bytes / 1024);
  CHECK_EQ(number_behind("\nPrivate_Dirty:"), bytes / 1024);
  CHECK_EQ(number_behind("\nAnonymous:"), bytes / 1024);
  check_has("/proc/self/smaps_rollup", {"[rollup]\nRss:", "\nPss:", "\nPrivate_Dirty:"});
}

TEST(fdinfo_tells_position_and_flags) {
  int fd = open(check::self_path, O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0 && dup2(fd, 77) == 77);
  lseek(fd, 123, SEEK_SET);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  check_has(path, {"pos:\t123\n", "flags:\t02100000\n", "\nmnt_id:\t"});
  check_has("/proc/self/fdinfo/77", {"pos:\t123\nflags:\t0100000\n"});
  CHECK_ERRNO(open("/proc/self/fdinfo/99", O_RDONLY), ENOENT);
  CHECK_ERRNO(readlink("/proc/self/fdinfo/77", path, sizeof path), EINVAL);
  DIR* folder = opendir("/proc/self/fdinfo");
  bool found = false;
  while (dirent* entry = readdir(folder)) found |= strcmp(entry->d_name, "77") == 0;
  closedir(folder);
  CHECK(found);
}

static int write_text(const char* path, const char* what) {
  int fd = open(path, O_WRONLY | O_TRUNC);
  if (fd < 0) return -1;
  int done = write(fd, what, strlen(what)), error = errno;
  close(fd);
  errno = error;
  return done;
}

TEST(oom_score_adj_is_kept_and_inherited) {
  const char* file = "/proc/self/oom_score_adj";
  CHECK_EQ(write_text(file, "500\n"), 4);
  check_has(file, {"500\n"});
  CHECK_EXITED(check::in_child([file] { return slurp(file) == 4 && atoi(text) == 500 ? 0 : 1; }),
               0);
  CHECK_EQ(write_text(file, " 0 "), 3);
  check_has(file, {"0\n"});
  CHECK_EQ(write_text(file, "1000"), 4);
  CHECK_ERRNO(write_text(file, "1001"), EINVAL);
  CHECK_ERRNO(write_text(file, "-1001"), EINVAL);
  CHECK_ERRNO(write_text(file, "x"), EINVAL);
  check_has(file, {"1000\n"});
  CHECK(slurp("/proc/self/oom_score") > 0);
  CHECK(atoi(text) > 1300 && atoi(text) < 1400);  // 1333, rounded by the size of memory
}

TEST(comm_can_be_written) {
  CHECK_EQ(write_text("/proc/self/comm", "another-name-too-long"), 21);
  CHECK_EQ(slurp("/proc/self/comm"), 16);
  CHECK_EQ(strcmp(text, "another-name-to\n"), 0);
  const pid_t child = check::start_child([] { return pause(); });
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/comm", child);
  CHECK_ERRNO(write_text(path, "x"), EINVAL);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(files_of_a_zombie) {
  const pid_t child = check::start_child([] { return 0; });
  siginfo_t info;
  waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cmdline", child);
  CHECK_EQ(slurp(path), 0);
  snprintf(path, sizeof path, "/proc/%d/statm", child);
  CHECK_EQ(slurp(path), 14);
  CHECK_EQ(strcmp(text, "0 0 0 0 0 0 0\n"), 0);
  snprintf(path, sizeof path, "/proc/%d/exe", child);
  CHECK_ERRNO(readlink(path, text, sizeof text), ENOENT);
  waitpid(child, nullptr, 0);
}
