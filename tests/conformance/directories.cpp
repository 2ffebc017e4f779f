// Conformance, directories and paths: mkdir, links, rename, listing, symbolic links, and the
// errors that paths make.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"

static char home[64];

static void enter_fresh_directory() {
  snprintf(home, sizeof home, "/tmp/dirs-%d", (int)getpid());
  REQUIRE(mkdir(home, 0755) == 0 && chdir(home) == 0);
}

static void make(const char* name, const char* text = "") {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  REQUIRE(fd >= 0);
  REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static bool holds(const char* name, const char* text) {
  char content[64] = {};
  int fd = open(name, O_RDONLY);
  if (fd < 0) return false;
  ssize_t count = read(fd, content, sizeof content - 1);
  close(fd);
  return count == (ssize_t)strlen(text) && strcmp(content, text) == 0;
}

static int links(const char* name) {
  struct stat facts;
  return lstat(name, &facts) == 0 ? (int)facts.st_nlink : -1;
}

/// Entries without "." and ".."; -1 when one of those is missing.
static int entries(const char* name) {
  DIR* directory = opendir(name);
  REQUIRE(directory);
  int count = 0, dots = 0;
  while (dirent* entry = readdir(directory)) {
    bool dot = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    dot ? ++dots : ++count;
  }
  closedir(directory);
  return dots == 2 ? count : -1;
}

// Types of which no node can be made are refused before anything else is looked at.
TEST(node_types) {
  enter_fresh_directory();
  for (int type = 0; type < 16; ++type) {
    const unsigned mode = (unsigned)type << 12 | 0644;
    struct stat facts;
    switch (mode & S_IFMT) {
      case S_IFCHR:
      case S_IFBLK:
        continue;  // a matter of privilege
      case 0:
      case S_IFREG:
      case S_IFIFO:
      case S_IFSOCK:
        CHECK_EQ(syscall(SYS_mknod, "node", mode, 0x105), 0);
        CHECK_EQ(lstat("node", &facts), 0);
        CHECK_EQ(facts.st_mode, type == 0 ? mode | S_IFREG : mode);
        CHECK_EQ(facts.st_rdev, 0);
        CHECK_ERRNO(syscall(SYS_mknod, "node", mode, 0), EEXIST);
        if (S_ISSOCK(mode)) CHECK_ERRNO(open("node", O_RDONLY), ENXIO);
        CHECK_EQ(unlink("node"), 0);
        break;
      default:
        CHECK_ERRNO(syscall(SYS_mknod, "node", mode, 0), S_ISDIR(mode) ? EPERM : EINVAL);
        CHECK_ERRNO(syscall(SYS_mknod, "/", mode, 0), S_ISDIR(mode) ? EPERM : EINVAL);
        CHECK_ERRNO(syscall(SYS_mknodat, -1, (char*)nullptr, mode, 0),
                    S_ISDIR(mode) ? EPERM : EINVAL);
        CHECK_ERRNO(lstat("node", &facts), ENOENT);
    }
  }
  close(open("file", O_CREAT | O_EXCL | O_WRONLY, 0177777));
  struct stat facts;
  CHECK(lstat("file", &facts) == 0 && S_ISREG(facts.st_mode));
}

TEST(make_and_remove) {
  enter_fresh_directory();
  CHECK_EQ(mkdir("d", 0755), 0);
  CHECK_ERRNO(mkdir("d", 0755), EEXIST);
  CHECK_ERRNO(mkdir("none/d", 0755), ENOENT);
  make("d/f");
  CHECK_ERRNO(mkdir("d/f/g", 0755), ENOTDIR);
  CHECK_ERRNO(mkdir("d/f", 0755), EEXIST);
  CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
  CHECK_ERRNO(rmdir("d/f"), ENOTDIR);
  CHECK_ERRNO(unlink("d"), EISDIR);
  CHECK_EQ(unlink("d/f"), 0);
  CHECK_EQ(rmdir("d"), 0);
  CHECK_ERRNO(rmdir("d"), ENOENT);
  CHECK_ERRNO(rmdir("."), EINVAL);
  CHECK_ERRNO(unlink("none"), ENOENT);
}

TEST(link_counts) {
  enter_fresh_directory();
  CHECK_EQ(mkdir("d", 0755), 0);
  CHECK_EQ(links("d"), 2);
  CHECK_EQ(mkdir("d/e", 0755), 0);
  CHECK_EQ(links("d"), 3);
  make("f", "text");
  CHECK_EQ(link("f", "g"), 0);
  CHECK_EQ(links("f"), 2);
  CHECK_ERRNO(link("f", "g"), EEXIST);
  CHECK_ERRNO(link("none", "h"), ENOENT);
  CHECK_ERRNO(link("d", "h"), EPERM);
  CHECK_EQ(unlink("f"), 0);
  CHECK_EQ(links("g"), 1);
  CHECK(holds("g", "text"));
}

TEST(renaming) {
  enter_fresh_directory();
  make("a", "A");
  make("b", "B");
  CHECK_EQ(rename("a", "c"), 0);
  CHECK(holds("c", "A") && links("a") == -1);
  CHECK_EQ(rename("c", "b"), 0);  // replaces
  CHECK(holds("b", "A") && links("c") == -1);
  CHECK_EQ(rename("b", "b"), 0);
  CHECK_ERRNO(rename("none", "x"), ENOENT);
  CHECK_EQ(mkdir("d", 0755) | mkdir("e", 0755) | mkdir("e/sub", 0755), 0);
  CHECK_ERRNO(rename("b", "d"), EISDIR);
  CHECK_ERRNO(rename("d", "b"), ENOTDIR);
  CHECK_ERRNO(rename("d", "e"), ENOTEMPTY);
  CHECK_ERRNO(rename("e", "e/sub/below"), EINVAL);
  CHECK_EQ(rename("e/sub", "d/sub"), 0);
  CHECK_EQ(rename("d", "e"), 0);  // onto an empty directory
  CHECK_EQ(links("e"), 3);
  CHECK_EQ(rename("b", "e/sub/b"), 0);
  CHECK(holds("e/sub/b", "A"));
  make("one", "1");
  CHECK_EQ(link("one", "two"), 0);
  CHECK_EQ(rename("one", "two"), 0);  // same file: nothing happens
  CHECK_EQ(links("one"), 2);
}

TEST(a_moved_directory_has_a_new_parent) {
  enter_fresh_directory();
  CHECK_EQ(mkdir("a", 0755) | mkdir("b", 0755) | mkdir("a/c", 0755), 0);
  make("b/mark");
  CHECK_EQ(rename("a/c", "b/c"), 0);
  CHECK_EQ(chdir("b/c"), 0);
  CHECK_EQ(access("../mark", F_OK), 0);
  char path[256], wanted[256];
  snprintf(wanted, sizeof wanted, "%s/b/c", home);
  CHECK(getcwd(path, sizeof path) && strcmp(path, wanted) == 0);
}

TEST(listing) {
  enter_fresh_directory();
  CHECK_EQ(entries("."), 0);
  char name[40];
  for (int i = 0; i < 300; ++i) {
    snprintf(name, sizeof name, "file-with-a-rather-long-name-%d", i);
    make(name);
  }
  CHECK_EQ(entries("."), 300);
  for (int i = 0; i < 300; i += 2) {
    snprintf(name, sizeof name, "file-with-a-rather-long-name-%d", i);
    CHECK_EQ(unlink(name), 0);
  }
  CHECK_EQ(entries("."), 150);
  DIR* directory = opendir(".");
  int removed = 0;
  while (dirent* entry = readdir(directory)) {  // removing while listing, as rm -r does
    if (entry->d_name[0] == 'f') removed += unlink(entry->d_name) == 0;
    if (entry->d_type != DT_UNKNOWN)
      CHECK(entry->d_type == (entry->d_name[0] == 'f' ? DT_REG : DT_DIR));
  }
  closedir(directory);
  CHECK_EQ(removed, 150);
  CHECK_EQ(entries("."), 0);
  CHECK(opendir("none") == nullptr && errno == ENOENT);
}

TEST(rewinding_lists_again) {
  enter_fresh_directory();
  make("a");
  make("b");
  DIR* directory = opendir(".");
  int first = 0, second = 0;
  while (readdir(directory)) ++first;
  rewinddir(directory);
  while (readdir(directory)) ++second;
  closedir(directory);
  CHECK_EQ(first, 4);
  CHECK_EQ(second, 4);
}

TEST(symbolic_links) {
  enter_fresh_directory();
  make("f", "text");
  CHECK_EQ(mkdir("d", 0755), 0);
  make("d/in", "inner");
  CHECK_EQ(symlink("f", "to-file"), 0);
  CHECK_EQ(symlink("d", "to-dir"), 0);
  CHECK_EQ(symlink("../f", "d/up"), 0);
  CHECK_EQ(symlink("nowhere", "dangling"), 0);
  CHECK_ERRNO(symlink("f", "to-file"), EEXIST);
  CHECK(holds("to-file", "text") && holds("to-dir/in", "inner") && holds("to-dir/up", "text"));
  CHECK_ERRNO(open("dangling", O_RDONLY), ENOENT);
  CHECK_ERRNO(open("to-file", O_RDONLY | O_NOFOLLOW), ELOOP);
  CHECK_ERRNO(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
  char target[16] = {};
  CHECK_EQ(readlink("to-file", target, sizeof target), 1);
  CHECK_EQ(readlink("d/up", target, 2), 2);
  CHECK_ERRNO(readlink("f", target, 16), EINVAL);
  struct stat facts;
  CHECK_EQ(lstat("to-dir", &facts), 0);
  CHECK(S_ISLNK(facts.st_mode));
  CHECK_EQ(facts.st_size, 1);
  CHECK_EQ(stat("to-dir", &facts), 0);
  CHECK(S_ISDIR(facts.st_mode));
  CHECK_ERRNO(rmdir("to-dir"), ENOTDIR);
  CHECK_EQ(unlink("to-dir"), 0);
  CHECK(holds("d/in", "inner"));
}

TEST(loops_end) {
  enter_fresh_directory();
  CHECK_EQ(symlink("b", "a"), 0);
  CHECK_EQ(symlink("a", "b"), 0);
  CHECK_ERRNO(open("a", O_RDONLY), ELOOP);
  CHECK_EQ(symlink("self", "self"), 0);
  CHECK_ERRNO(open("self", O_RDONLY), ELOOP);
  CHECK_ERRNO(chdir("self"), ELOOP);
  char name[16], next[16];
  make("end", "end");
  for (int i = 0; i < 50; ++i) {
    snprintf(name, sizeof name, "l%d", i);
    snprintf(next, sizeof next, i == 0 ? "end" : "l%d", i - 1);
    CHECK_EQ(symlink(next, name), 0);
  }
  CHECK(holds("l30", "end"));
  CHECK_ERRNO(open("l45", O_RDONLY), ELOOP);  // Linux follows 40
}

TEST(names_that_are_too_long) {
  enter_fresh_directory();
  char name[5000];
  memset(name, 'n', sizeof name);
  name[255] = 0;
  make(name);
  CHECK_EQ(access(name, F_OK), 0);
  name[255] = 'n';
  name[256] = 0;
  CHECK_ERRNO(open(name, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
  CHECK_ERRNO(mkdir(name, 0755), ENAMETOOLONG);
  name[256] = 'n';
  for (int i = 100; i < 5000; i += 100) name[i] = '/';
  name[4999] = 0;
  CHECK_ERRNO(open(name, O_RDONLY), ENAMETOOLONG);
  CHECK_ERRNO(chdir(name), ENAMETOOLONG);
}

TEST(paths_are_forgiving_about_slashes_and_dots) {
  enter_fresh_directory();
  CHECK_EQ(mkdir("d", 0755), 0);
  make("d/f", "x");
  CHECK(holds("./d//f", "x") && holds("d/./f", "x") && holds("d/../d/f", "x"));
  CHECK(holds("/../../tmp/../tmp/../dev/null", ""));
  CHECK_EQ(mkdir("e/", 0755), 0);
  CHECK_EQ(rmdir("e/"), 0);
}

TEST(working_directory) {
  enter_fresh_directory();
  char path[256];
  CHECK(getcwd(path, sizeof path) && strcmp(path, home) == 0);
  CHECK(getcwd(path, 3) == nullptr && errno == ERANGE);
  CHECK_EQ(mkdir("d", 0755), 0);
  CHECK_EXITED(check::in_child([] { return chdir("d"); }), 0);
  CHECK(getcwd(path, sizeof path) && strcmp(path, home) == 0);  // a child's is its own
  CHECK_EQ(chdir("d"), 0);
  CHECK_EQ(chdir(".."), 0);
  CHECK(getcwd(path, sizeof path) && strcmp(path, home) == 0);
  make("f");
  CHECK_ERRNO(chdir("f"), ENOTDIR);
  CHECK_ERRNO(chdir("none"), ENOENT);
  CHECK_EQ(chdir("/"), 0);
  CHECK_EQ(chdir(".."), 0);
  CHECK(getcwd(path, sizeof path) && strcmp(path, "/") == 0);
  int fd = open(home, O_RDONLY | O_DIRECTORY);
  CHECK_EQ(fchdir(fd), 0);
  CHECK(getcwd(path, sizeof path) && strcmp(path, home) == 0);
}

TEST(calls_relative_to_a_directory) {
  enter_fresh_directory();
  CHECK_EQ(mkdir("d", 0755), 0);
  int d = open("d", O_RDONLY | O_DIRECTORY);
  int fd = openat(d, "f", O_WRONLY | O_CREAT, 0644);
  CHECK(fd >= 0 && close(fd) == 0);
  CHECK_EQ(access("d/f", F_OK), 0);
  CHECK_EQ(mkdirat(d, "e", 0755), 0);
  struct stat facts;
  CHECK_EQ(fstatat(d, "e", &facts, 0), 0);
  CHECK(S_ISDIR(facts.st_mode));
  CHECK_EQ(renameat(d, "f", AT_FDCWD, "g"), 0);
  CHECK_EQ(access("g", F_OK), 0);
  CHECK_EQ(unlinkat(d, "e", AT_REMOVEDIR), 0);
  CHECK_ERRNO(openat(99, "f", O_RDONLY), EBADF);
  CHECK_ERRNO(openat(open("g", O_RDONLY), "f", O_RDONLY), ENOTDIR);
  char byte;
  CHECK_ERRNO(read(d, &byte, 1), EISDIR);
}

TEST(removed_directories_keep_those_above_them) {
  enter_fresh_directory();
  constexpr int depth = 500;  // more than a kernel stack holds of anything
  for (int i = 0; i < depth; ++i) REQUIRE(mkdir("d", 0755) == 0 && chdir("d") == 0);
  int deepest = open(".", O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < depth; ++i) REQUIRE(chdir("..") == 0 && rmdir("d") == 0);
  int above = openat(deepest, "../..", O_RDONLY | O_DIRECTORY);
  CHECK(above >= 0 && close(above) == 0);
  CHECK_ERRNO(openat(deepest, "f", O_WRONLY | O_CREAT, 0644), ENOENT);
  CHECK_EQ(close(deepest), 0);
}
