// Conformance, names in /proc/PID: what exe, cwd, root and fd/N lead to, when it is renamed,
// replaced or removed, and what is shown of files that never had a name.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "check.h"

static char shown[512];

static const char* link_of(const char* path) {
  const ssize_t length = readlink(path, shown, sizeof shown - 1);
  snprintf(shown + (length < 0 ? 0 : length), 32, length < 0 ? "(errno %d)" : "", errno);
  return shown;
}
static const char* name_of(int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return link_of(path);
}

static bool same(const char* got, const char* wanted) {
  if (strcmp(got, wanted) == 0) return true;
  check::say("  got \"%s\", wanted \"%s\"\n", got, wanted);
  return false;
}

/// A directory of one's own, which is the working directory from then on.
static void enter_new_directory() {
  char name[] = "/tmp/names-XXXXXX";
  REQUIRE(mkdtemp(name) != nullptr && chdir(name) == 0);
}
static char place[512];
static const char* here(const char* name) {
  char directory[256];
  REQUIRE(getcwd(directory, sizeof directory) != nullptr);
  snprintf(place, sizeof place, "%s/%s", directory, name);
  return place;
}
static void leave(std::initializer_list<const char*> files) {
  for (const char* name : files) CHECK(unlink(name) == 0 || rmdir(name) == 0);
  char directory[256];
  REQUIRE(getcwd(directory, sizeof directory) != nullptr && chdir("/") == 0);
  CHECK_EQ(rmdir(directory), 0);
}

static int make(const char* name, const char* text = "") {
  const int file = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);
  REQUIRE(file >= 0);
  REQUIRE(write(file, text, strlen(text)) == (ssize_t)strlen(text));
  return file;
}

TEST(an_open_files_name) {
  enter_new_directory();
  const int file = make("a");
  CHECK(same(name_of(file), here("a")));
  REQUIRE(rename("a", "b") == 0);
  CHECK(same(name_of(file), here("b")));
  REQUIRE(mkdir("sub", 0755) == 0 && rename("b", "sub/c") == 0);
  CHECK(same(name_of(file), here("sub/c")));
  REQUIRE(rename("sub/c", "sub/d") == 0);
  CHECK(same(name_of(file), here("sub/d")));
  REQUIRE(rename("sub", "bus") == 0);
  CHECK(same(name_of(file), here("bus/d")));
  REQUIRE(unlink("bus/d") == 0);
  CHECK(same(name_of(file), here("bus/d (deleted)")));
  REQUIRE(rmdir("bus") == 0);
  CHECK(same(name_of(file), here("bus/d (deleted)")));
  leave({});
}

TEST(a_removed_file_is_still_there) {
  enter_new_directory();
  const int file = make("a", "hello");
  REQUIRE(unlink("a") == 0);
  CHECK(same(name_of(file), here("a (deleted)")));
  close(make("a", "other"));
  CHECK(same(name_of(file), here("a (deleted)")));
  char path[64], text[8] = {};
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  const int again = open(path, O_RDONLY);
  REQUIRE(again >= 0);
  CHECK_EQ(read(again, text, sizeof text), 5);
  CHECK(strcmp(text, "hello") == 0);
  CHECK(same(name_of(again), here("a (deleted)")));
  struct stat status = {};
  CHECK_EQ(stat(path, &status), 0);
  CHECK_EQ(status.st_nlink, 0);
  CHECK_EQ(status.st_size, 5);
  leave({"a"});
}

TEST(a_replaced_file) {
  enter_new_directory();
  const int old = make("old"), other = make("new");
  REQUIRE(rename("new", "old") == 0);
  CHECK(same(name_of(other), here("old")));
  CHECK(same(name_of(old), here("old (deleted)")));
  leave({"old"});
}

TEST(two_names_of_one_file) {
  enter_new_directory();
  const int file = make("a");
  REQUIRE(link("a", "b") == 0 && rename("a", "b") == 0);  // does nothing
  CHECK(same(name_of(file), here("a")));
  REQUIRE(unlink("b") == 0);
  CHECK(same(name_of(file), here("a")));
  leave({"a"});
}

TEST(the_working_directory) {
  enter_new_directory();
  REQUIRE(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0);
  char above[256], wanted[512], path[300];
  REQUIRE(getcwd(above, sizeof above) != nullptr && chdir("a/b") == 0);
  snprintf(wanted, sizeof wanted, "%s/a/b", above);
  CHECK(same(link_of("/proc/self/cwd"), wanted));
  REQUIRE(rename("../../a", "../../c") == 0);
  snprintf(wanted, sizeof wanted, "%s/c/b", above);
  CHECK(same(link_of("/proc/self/cwd"), wanted));
  CHECK(same(getcwd(path, sizeof path), wanted));
  const int directory = open(".", O_RDONLY);
  REQUIRE(rmdir(wanted) == 0);
  strcat(wanted, " (deleted)");
  CHECK(same(link_of("/proc/self/cwd"), wanted));
  CHECK(same(name_of(directory), wanted));
  CHECK(getcwd(path, sizeof path) == nullptr && errno == ENOENT);
  snprintf(path, sizeof path, "%s/c", above);
  REQUIRE(rmdir(path) == 0);
  CHECK(same(link_of("/proc/self/cwd"), wanted));
  strcat(path, "/b");
  CHECK_ERRNO(access(path, F_OK), ENOENT);
  REQUIRE(chdir(above) == 0);
  leave({});
}

TEST(a_directory_made_anew_is_another) {
  enter_new_directory();
  REQUIRE(mkdir("a", 0755) == 0);
  const int old = open("a", O_RDONLY | O_DIRECTORY);
  REQUIRE(rmdir("a") == 0 && mkdir("a", 0755) == 0);
  const int now = open("a", O_RDONLY | O_DIRECTORY);
  CHECK(same(name_of(old), here("a (deleted)")));
  CHECK(same(name_of(now), here("a")));
  REQUIRE(mkdir("b", 0755) == 0 && rename("b", "a") == 0);
  CHECK(same(name_of(now), here("a (deleted)")));
  leave({"a"});
}

/// Its own exe, on standard output.
int helper(int, char**) {
  check::say("%s\n", link_of("/proc/self/exe"));
  char byte;
  for (;;) {
    if (read(0, &byte, 1) != 1) return 0;
    check::say("%s\n", link_of("/proc/self/exe"));
  }
}

static void copy_self(const char* to) {
  const int from = open("/proc/self/exe", O_RDONLY),
            made = open(to, O_CREAT | O_EXCL | O_WRONLY, 0755);
  REQUIRE(from >= 0 && made >= 0);
  char buffer[16384];
  for (ssize_t bytes; (bytes = read(from, buffer, sizeof buffer)) > 0;)
    REQUIRE(write(made, buffer, (size_t)bytes) == bytes);
  close(from);
  close(made);
}

TEST(a_running_program) {
  enter_new_directory();
  copy_self("program");
  int questions[2], answers[2];
  REQUIRE(pipe(questions) == 0 && pipe(answers) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(questions[0], 0);
    dup2(answers[1], 1);
    for (int fd : {questions[0], questions[1], answers[0], answers[1]}) close(fd);
    execl("program", "program", "--helper", nullptr);
    _exit(1);
  }
  char text[512], path[64];
  auto answer = [&] {
    const ssize_t bytes = read(answers[0], text, sizeof text - 1);
    REQUIRE(bytes > 0);
    text[bytes - 1] = 0;
    return text;
  };
  auto ask = [&] {
    REQUIRE(write(questions[1], "", 1) == 1);
    return answer();
  };
  snprintf(path, sizeof path, "/proc/%d/exe", child);
  CHECK(same(answer(), here("program")));
  REQUIRE(rename("program", "other") == 0);
  CHECK(same(ask(), here("other")));
  REQUIRE(mkdir("sub", 0755) == 0 && rename("other", "sub/third") == 0);
  CHECK(same(ask(), here("sub/third")));
  CHECK(same(link_of(path), here("sub/third")));
  REQUIRE(unlink("sub/third") == 0);
  CHECK(same(ask(), here("sub/third (deleted)")));
  char magic[4] = {};
  const int file = open(path, O_RDONLY);
  CHECK_EQ(read(file, magic, 4), 4);
  CHECK(memcmp(magic, "\177ELF", 4) == 0);
  close(questions[1]);
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK_EXITED(status, 0);
  leave({"sub"});
}

TEST(the_root) {
  CHECK(same(link_of("/proc/self/root"), "/"));
  if (geteuid() != 0) return;
  enter_new_directory();
  char above[256];
  REQUIRE(mkdir("jail", 0755) == 0 && getcwd(above, sizeof above) != nullptr);
  int go[2];
  REQUIRE(pipe(go) == 0);
  const pid_t child = check::start_child([&] {
    REQUIRE(chroot("jail") == 0 && chdir("/") == 0);
    REQUIRE(write(go[1], "", 1) == 1);
    for (;;) pause();
    return 0;
  });
  char byte, path[64];
  REQUIRE(read(go[0], &byte, 1) == 1);
  snprintf(path, sizeof path, "/proc/%d/root", child);
  CHECK(same(link_of(path), here("jail")));
  snprintf(path, sizeof path, "/proc/%d/cwd", child);
  CHECK(same(link_of(path), here("jail")));
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  leave({"jail"});
}

/// "KIND:[inode number]".
static void check_numbered(int fd, const char* kind) {
  struct stat status = {};
  REQUIRE(fd >= 0 && fstat(fd, &status) == 0);
  char wanted[64];
  snprintf(wanted, sizeof wanted, "%s:[%lu]", kind, (unsigned long)status.st_ino);
  CHECK(same(name_of(fd), wanted));
}

TEST(files_without_a_name) {
  int ends[2], sockets[2];
  REQUIRE(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  for (int fd : ends) check_numbered(fd, "pipe");
  for (int fd : sockets) check_numbered(fd, "socket");
  check_numbered(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check_numbered(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  sigset_t none;
  sigemptyset(&none);
  CHECK(same(name_of(eventfd(0, 0)), "anon_inode:[eventfd]"));
  CHECK(same(name_of(epoll_create1(0)), "anon_inode:[eventpoll]"));
  CHECK(same(name_of(timerfd_create(CLOCK_MONOTONIC, 0)), "anon_inode:[timerfd]"));
  CHECK(same(name_of(signalfd(-1, &none, 0)), "anon_inode:[signalfd]"));
  CHECK(same(name_of((int)syscall(SYS_pidfd_open, getpid(), 0)), "anon_inode:[pidfd]"));
}

TEST(files_that_have_one) {
  CHECK(same(name_of(open("/dev/null", O_RDWR)), "/dev/null"));
  CHECK(same(name_of(open("/proc/self/../version", O_RDONLY)), "/proc/version"));
  CHECK(same(name_of(open("/", O_RDONLY)), "/"));
  CHECK(same(name_of(open("/tmp", O_PATH)), "/tmp"));
  enter_new_directory();
  REQUIRE(mkfifo("fifo", 0600) == 0 && symlink("fifo", "link") == 0);
  CHECK(same(name_of(open("fifo", O_RDWR)), here("fifo")));
  CHECK(same(name_of(open("link", O_RDWR)), here("fifo")));
  CHECK(same(name_of(open("link", O_PATH | O_NOFOLLOW)), here("link")));
  leave({"fifo", "link"});
}
