// Conformance, renameat2: names that change places, and names that are not to be lost.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

constexpr unsigned keep = 1, exchange = 2, whiteout = 4;

int move(const char* from, const char* to, unsigned flags) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

ino_t number(const char* path) {
  struct stat inode;
  return lstat(path, &inode) == 0 ? inode.st_ino : 0;
}
nlink_t links(const char* path) {
  struct stat inode;
  return lstat(path, &inode) == 0 ? inode.st_nlink : 0;
}

void make_world() {
  umask(0);
  mkdir("/tmp/renames", 0777);
  REQUIRE(chdir("/tmp/renames") == 0);
  close(creat("file", 0600));
  close(creat("other", 0600));
  symlink("nowhere", "link");
  mkdir("a", 0777);
  mkdir("a/below", 0777);
  mkdir("b", 0777);
  close(creat("b/file", 0600));
}

void remove_world() {
  chdir("/");
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/rm", "rm", "-rf", "/tmp/renames", nullptr);
    execl("/bin/busybox", "rm", "-rf", "/tmp/renames", nullptr);
    _exit(1);
  }
  waitpid(pid, nullptr, 0);
}

}  // namespace

TEST(arguments) {
  make_world();
  CHECK_ERRNO(move("file", "new", 8), EINVAL);
  CHECK_ERRNO(move("file", "new", 1u << 31), EINVAL);
  CHECK_ERRNO(move("file", "other", keep | exchange), EINVAL);
  CHECK_ERRNO(move("file", "other", whiteout | exchange), EINVAL);
  CHECK_ERRNO(move(nullptr, "other", exchange), EFAULT);
  CHECK_ERRNO(move("file", nullptr, keep), EFAULT);
  CHECK_EQ(move("file", "new", 0), 0);
  remove_world();
}

TEST(nothing_is_lost) {
  make_world();
  const ino_t file = number("file"), other = number("other");
  CHECK_ERRNO(move("file", "other", keep), EEXIST);
  CHECK_ERRNO(move("file", "file", keep), EEXIST);
  CHECK_ERRNO(move("file", "link", keep), EEXIST);
  CHECK_ERRNO(move("a", "b", keep), EEXIST);
  CHECK_ERRNO(move("file", "..", keep), EEXIST);
  CHECK_ERRNO(move("missing", "new", keep), ENOENT);
  CHECK_ERRNO(move("file", "missing/new", keep), ENOENT);
  CHECK_EQ(number("file"), file);
  CHECK_EQ(number("other"), other);
  CHECK_EQ(move("file", "new", keep), 0);
  CHECK_EQ(number("new"), file);
  CHECK_EQ(number("file"), 0);
  CHECK_EQ(move("a", "b/a", keep), 0);
  CHECK_EQ(links("b"), 3);
  remove_world();
}

TEST(two_change_places) {
  make_world();
  const char* pairs[][2] = {{"file", "other"}, {"file", "b/file"}, {"file", "link"}, {"a", "b"},
                            {"a/below", "b"},  {"file", "a"},      {"b/file", "a"},  {"a", "a"}};
  for (auto [one, two] : pairs) {
    const ino_t first = number(one), second = number(two);
    CHECK(first && second);
    if (!CHECK_EQ(move(one, two, exchange), 0)) check::say("  %s and %s\n", one, two);
    CHECK_EQ(number(one), second);
    CHECK_EQ(number(two), first);
    CHECK_EQ(move(one, two, exchange), 0);
    CHECK_EQ(number(one), first);
  }
  remove_world();
}

TEST(links_are_counted_right) {
  make_world();
  CHECK_EQ(links("a"), 3);
  CHECK_EQ(links("b"), 2);
  CHECK_EQ(move("a/below", "b/file", exchange), 0);
  CHECK_EQ(links("a"), 2);
  CHECK_EQ(links("b"), 3);
  CHECK_EQ(number("b/file/.."), number("b"));
  CHECK_EQ(number("b/file/../file"), number("b/file"));
  CHECK_EQ(unlink("a/below"), 0);
  CHECK_EQ(rmdir("a"), 0);
  CHECK_ERRNO(rmdir("b"), ENOTEMPTY);
  CHECK_EQ(rmdir("b/file"), 0);
  CHECK_EQ(rmdir("b"), 0);
  remove_world();
}

TEST(what_cannot_change_places) {
  make_world();
  CHECK_ERRNO(move("file", "missing", exchange), ENOENT);
  CHECK_ERRNO(move("missing", "file", exchange), ENOENT);
  CHECK_ERRNO(move("a", "a/below", exchange), EINVAL);
  CHECK_ERRNO(move("a/below", "a", exchange), EINVAL);
  CHECK_ERRNO(move("file", "..", exchange), EBUSY);
  CHECK_ERRNO(move(".", "file", exchange), EBUSY);
  CHECK_ERRNO(move("file", "other/", exchange), ENOTDIR);
  CHECK_ERRNO(move("file/", "a", exchange), ENOTDIR);
  CHECK_EQ(move("file", "a/", exchange), 0);
  CHECK_EQ(move("file/", "a", exchange), 0);
  CHECK_ERRNO(move("file", "/proc/self", exchange), EXDEV);
  remove_world();
}

TEST(who_may) {
  make_world();
  mkdir("closed", 0755);
  close(creat("closed/file", 0666));
  mkdir("sticky", 01777);
  close(creat("sticky/file", 0666));
  mkdir("closed-directory", 0755);
  CHECK_EXITED(check::in_child([] {
                 if (setgid(1000) || setuid(1000)) return 71;
                 CHECK_ERRNO(move("file", "closed/file", exchange), EACCES);
                 CHECK_ERRNO(move("closed/file", "file", exchange), EACCES);
                 CHECK_ERRNO(move("file", "sticky/file", exchange), EPERM);
                 // Its ".." would change.
                 CHECK_ERRNO(move("b/file", "closed-directory", exchange), EACCES);
                 CHECK_EQ(move("file", "closed-directory", exchange), 0);
                 return 0;
               }),
               0);
  remove_world();
}
