// Conformance, extended attributes: names, values and lists, whose they are, and what they are of.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "check.h"

namespace {

constexpr char path[] = "/tmp/attributes", folder[] = "/tmp/attributes-folder",
               link_path[] = "/tmp/attributes-link", fifo[] = "/tmp/attributes-fifo";

void make_files() {
  close(open(path, O_CREAT | O_RDWR, 0644));
  mkdir(folder, 0755);
  symlink(path, link_path);
  mkfifo(fifo, 0666);
}
void remove_files() {
  for (const char* which : {path, link_path, fifo}) unlink(which);
  rmdir(folder);
}

bool has(const char* which, const char* name, const char* wanted) {
  char value[64] = {};
  const ssize_t got = getxattr(which, name, value, sizeof value);
  return got == (ssize_t)strlen(wanted) && memcmp(value, wanted, (size_t)got) == 0;
}

/// Does a list of `bytes` hold this name?
bool lists(const char* list, ssize_t bytes, const char* name) {
  for (ssize_t at = 0; at < bytes; at += (ssize_t)strlen(list + at) + 1)
    if (strcmp(list + at, name) == 0) return true;
  return false;
}

/// Root may have lost what trusted attributes ask for.
bool may_trust() {
  return lsetxattr(path, "trusted.probe", "x", 1, 0) == 0 &&
         removexattr(path, "trusted.probe") == 0;
}

/// As a user who is not root.
template <class Body>
void as_user(Body body) {
  CHECK_EXITED(check::in_child([&] {
                 if (setgid(1000) || setuid(1000)) return 71;
                 body();
                 return 0;
               }),
               0);
}

}  // namespace

TEST(values) {
  make_files();
  CHECK_EQ(setxattr(path, "user.a", "one", 3, 0), 0);
  CHECK(has(path, "user.a", "one"));
  CHECK_EQ(setxattr(path, "user.a", "longer", 6, 0), 0);
  CHECK(has(path, "user.a", "longer"));
  CHECK_EQ(setxattr(path, "user.a", "s", 1, 0), 0);
  CHECK(has(path, "user.a", "s"));
  CHECK_EQ(setxattr(path, "user.empty", nullptr, 0, 0), 0);
  CHECK_EQ(getxattr(path, "user.empty", nullptr, 0), 0);
  CHECK_EQ(setxattr(path, "user.zeros", "a\0b", 3, 0), 0);
  char value[16] = {};
  CHECK_EQ(getxattr(path, "user.zeros", value, sizeof value), 3);
  CHECK_EQ(memcmp(value, "a\0b", 3), 0);
  CHECK_EQ(getxattr(path, "user.zeros", nullptr, 0), 3);
  CHECK_ERRNO(getxattr(path, "user.zeros", value, 2), ERANGE);
  CHECK_EQ(removexattr(path, "user.a"), 0);
  CHECK_ERRNO(getxattr(path, "user.a", value, sizeof value), ENODATA);
  CHECK_ERRNO(removexattr(path, "user.a"), ENODATA);
  remove_files();
}

TEST(conditions) {
  make_files();
  CHECK_ERRNO(setxattr(path, "user.a", "x", 1, XATTR_REPLACE), ENODATA);
  CHECK_EQ(setxattr(path, "user.a", "x", 1, XATTR_CREATE), 0);
  CHECK_ERRNO(setxattr(path, "user.a", "y", 1, XATTR_CREATE), EEXIST);
  CHECK_EQ(setxattr(path, "user.a", "z", 1, XATTR_REPLACE), 0);
  CHECK(has(path, "user.a", "z"));
  CHECK_ERRNO(setxattr(path, "user.a", "z", 1, 4), EINVAL);
  remove_files();
}

TEST(names) {
  make_files();
  char name[300];
  memset(name, 'x', sizeof name);
  memcpy(name, "user.", 5);
  name[256] = '\0';
  CHECK_ERRNO(setxattr(path, name, "x", 1, 0), ERANGE);
  CHECK_ERRNO(getxattr(path, name, nullptr, 0), ERANGE);
  name[255] = '\0';
  CHECK_EQ(setxattr(path, name, "x", 1, 0), 0);
  CHECK(has(path, name, "x"));
  CHECK_ERRNO(setxattr(path, "", "x", 1, 0), ERANGE);
  CHECK_ERRNO(setxattr(path, "user.", "x", 1, 0), EINVAL);
  CHECK_ERRNO(getxattr(path, "user.", nullptr, 0), EINVAL);
  CHECK_ERRNO(setxattr(path, "user", "x", 1, 0), EOPNOTSUPP);
  CHECK_ERRNO(setxattr(path, "nothing.a", "x", 1, 0), EOPNOTSUPP);
  CHECK_ERRNO(getxattr(path, "nothing.a", nullptr, 0), EOPNOTSUPP);
  CHECK_ERRNO(setxattr(path, (char*)8, "x", 1, 0), EFAULT);
  CHECK_ERRNO(setxattr(path, "user.a", (char*)8, 1, 0), EFAULT);
  CHECK_ERRNO(setxattr((char*)8, "user.a", "x", 1, 0), EFAULT);
  CHECK_ERRNO(getxattr(path, name, (char*)8, 1), EFAULT);
  CHECK_ERRNO(listxattr(path, (char*)8, 1000), EFAULT);
  static char large[65537];
  CHECK_ERRNO(setxattr(path, "user.a", large, sizeof large, 0), E2BIG);
  CHECK_EQ(setxattr(path, "user.a", large, 60000, 0), 0);
  CHECK_EQ(getxattr(path, "user.a", nullptr, 0), 60000);
  CHECK_ERRNO(setxattr("/tmp/attributes-missing", "user.a", "x", 1, 0), ENOENT);
  CHECK_ERRNO(fsetxattr(99, "user.a", "x", 1, 0), EBADF);
  remove_files();
}

TEST(lists) {
  make_files();
  char list[64] = {};
  CHECK_EQ(listxattr(path, list, sizeof list), 0);
  CHECK_EQ(setxattr(path, "user.b", "x", 1, 0), 0);
  CHECK_EQ(setxattr(path, "user.a", "y", 1, 0), 0);
  CHECK_EQ(listxattr(path, nullptr, 0), 14);
  CHECK_ERRNO(listxattr(path, list, 13), ERANGE);
  CHECK_EQ(listxattr(path, list, sizeof list), 14);
  CHECK(lists(list, 14, "user.a") && lists(list, 14, "user.b"));
  if (may_trust()) {
    CHECK_EQ(setxattr(path, "trusted.t", "z", 1, 0), 0);
    CHECK_EQ(listxattr(path, list, sizeof list), 24);
    CHECK(lists(list, 24, "user.a") && lists(list, 24, "trusted.t"));
  }
  as_user([&] { CHECK_EQ(listxattr(path, list, sizeof list), 14); });
  remove_files();
}

TEST(three_ways_to_name_a_file) {
  make_files();
  const int fd = open(path, O_RDONLY), by_path = open(path, O_PATH);
  CHECK_EQ(setxattr(link_path, "user.a", "1", 1, 0), 0);
  CHECK(has(path, "user.a", "1"));
  char value[4];
  CHECK_EQ(fsetxattr(fd, "user.b", "22", 2, 0), 0);
  CHECK_EQ(fgetxattr(fd, "user.b", value, sizeof value), 2);
  CHECK_EQ(lgetxattr(path, "user.b", value, sizeof value), 2);
  CHECK_EQ(flistxattr(fd, nullptr, 0), 14);
  CHECK_EQ(fremovexattr(fd, "user.b"), 0);
  CHECK_EQ(lremovexattr(path, "user.a"), 0);
  CHECK_EQ(llistxattr(path, nullptr, 0), 0);
  CHECK_ERRNO(fgetxattr(by_path, "user.b", value, sizeof value), EBADF);
  CHECK_ERRNO(lsetxattr(link_path, "user.a", "1", 1, 0), EPERM);
  CHECK_ERRNO(lgetxattr(link_path, "user.a", value, sizeof value), ENODATA);
  if (may_trust()) {
    CHECK_EQ(lsetxattr(link_path, "trusted.a", "1", 1, 0), 0);
    CHECK_EQ(lgetxattr(link_path, "trusted.a", value, sizeof value), 1);
    CHECK_ERRNO(getxattr(path, "trusted.a", value, sizeof value), ENODATA);
  }
  remove_files();
}

TEST(kinds_of_files) {
  make_files();
  CHECK_EQ(setxattr(folder, "user.a", "1", 1, 0), 0);
  CHECK(has(folder, "user.a", "1"));
  CHECK_ERRNO(setxattr(fifo, "user.a", "1", 1, 0), EPERM);
  CHECK_ERRNO(getxattr(fifo, "user.a", nullptr, 0), ENODATA);
  if (may_trust()) {
    CHECK_EQ(setxattr(fifo, "trusted.a", "1", 1, 0), 0);
    CHECK_EQ(setxattr(path, "security.a", "1", 1, 0), 0);
    CHECK(has(path, "security.a", "1"));
  }
  remove_files();
}

TEST(who_may) {
  make_files();
  CHECK_EQ(setxattr(path, "user.a", "1", 1, 0), 0);
  const bool trusts = may_trust();
  if (trusts) {
    CHECK_EQ(setxattr(path, "trusted.a", "1", 1, 0), 0);
    CHECK_EQ(setxattr(path, "security.a", "1", 1, 0), 0);
  }
  as_user([=] {
    CHECK(has(path, "user.a", "1"));
    CHECK_ERRNO(setxattr(path, "user.a", "2", 1, 0), EACCES);
    CHECK_ERRNO(removexattr(path, "user.a"), EACCES);
    CHECK_ERRNO(getxattr(path, "trusted.a", nullptr, 0), ENODATA);
    CHECK_ERRNO(setxattr(path, "trusted.a", "2", 1, 0), EPERM);
    if (trusts) CHECK_EQ(getxattr(path, "security.a", nullptr, 0), 1);
    CHECK_ERRNO(setxattr(path, "security.a", "2", 1, 0), EPERM);
    CHECK_ERRNO(removexattr(path, "security.a"), EPERM);
  });
  REQUIRE(chmod(path, 0600) == 0);
  as_user([] { CHECK_ERRNO(getxattr(path, "user.a", nullptr, 0), EACCES); });
  REQUIRE(chown(path, 1000, 1000) == 0);
  as_user([] { CHECK_EQ(setxattr(path, "user.a", "2", 1, 0), 0); });
  REQUIRE(chmod(folder, 01777) == 0);
  as_user([] { CHECK_ERRNO(setxattr(folder, "user.a", "2", 1, 0), EPERM); });
  remove_files();
}

TEST(they_belong_to_the_file) {
  make_files();
  CHECK_EQ(setxattr(path, "user.a", "1", 1, 0), 0);
  CHECK_EQ(link(path, "/tmp/attributes-second"), 0);
  CHECK_EQ(unlink(path), 0);
  CHECK_EQ(rename("/tmp/attributes-second", "/tmp/attributes-moved"), 0);
  CHECK(has("/tmp/attributes-moved", "user.a", "1"));
  const timespec times[2] = {{1000, 0}, {1000, 0}};
  utimensat(AT_FDCWD, "/tmp/attributes-moved", times, 0);
  struct stat before, after;
  stat("/tmp/attributes-moved", &before);
  usleep(20'000);
  CHECK_EQ(setxattr("/tmp/attributes-moved", "user.b", "1", 1, 0), 0);
  stat("/tmp/attributes-moved", &after);
  CHECK_EQ(after.st_mtim.tv_sec, 1000);
  CHECK(after.st_ctim.tv_sec > before.st_ctim.tv_sec ||
        after.st_ctim.tv_nsec != before.st_ctim.tv_nsec);
  unlink("/tmp/attributes-moved");
  close(open(path, O_CREAT | O_RDWR, 0644));
  CHECK_EQ(listxattr(path, nullptr, 0), 0);
  remove_files();
}
