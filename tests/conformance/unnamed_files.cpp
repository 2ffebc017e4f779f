// Conformance, files without a name: open with O_TMPFILE, and linkat, which gives them one.
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"

namespace {

constexpr char folder[] = "/tmp/unnamed", named[] = "/tmp/unnamed/named";

void make_folder() {
  mkdir(folder, 0755);
}
void remove_folder() {
  unlink(named);
  CHECK_EQ(rmdir(folder), 0);
}

const char* link_of(int fd) {
  static char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return path;
}

struct stat stat_of(int fd) {
  struct stat inode = {};
  CHECK_EQ(fstat(fd, &inode), 0);
  return inode;
}

}  // namespace

TEST(arguments) {
  make_folder();
  close(creat(named, 0600));
  const int unnamed = O_TMPFILE & ~O_DIRECTORY;
  CHECK_ERRNO(open(folder, O_TMPFILE | O_RDONLY, 0600), EINVAL);
  CHECK_ERRNO(open(folder, unnamed | O_RDWR, 0600), EINVAL);
  CHECK_ERRNO(open(folder, O_TMPFILE | O_RDWR | O_CREAT, 0600), EINVAL);
  CHECK_ERRNO(open(named, O_TMPFILE | O_RDWR, 0600), ENOTDIR);
  CHECK_ERRNO(open("/tmp/unnamed/missing", O_TMPFILE | O_RDWR, 0600), ENOENT);
  CHECK_ERRNO(open(nullptr, O_TMPFILE | O_RDWR, 0600), EFAULT);
  CHECK_ERRNO(open("", O_TMPFILE | O_RDWR, 0600), ENOENT);
  CHECK(open("/proc", O_TMPFILE | O_RDWR, 0600) < 0);
  const int path = open(folder, O_TMPFILE | O_PATH);  // which knows no such flag
  CHECK(path >= 0);
  CHECK(S_ISDIR(stat_of(path).st_mode));
  remove_folder();
}

TEST(it_is_a_file) {
  make_folder();
  umask(027);
  const int fd = open(folder, O_TMPFILE | O_RDWR, 0666);
  REQUIRE(fd >= 0);
  struct stat inode = stat_of(fd);
  CHECK_EQ(inode.st_mode, S_IFREG | 0640);
  CHECK_EQ(inode.st_nlink, 0);
  CHECK_EQ(inode.st_size, 0);
  CHECK_EQ(write(fd, "abc", 3), 3);
  char text[4] = {};
  CHECK_EQ(pread(fd, text, 3, 0), 3);
  CHECK_EQ(strcmp(text, "abc"), 0);
  CHECK_EQ(fcntl(fd, F_GETFL) & (O_TMPFILE | O_ACCMODE), O_TMPFILE | O_RDWR);
  CHECK_EQ(rmdir(folder), 0);  // which is empty
  CHECK_EQ(pwrite(fd, "d", 1, 3), 1);
  CHECK_EQ(stat_of(fd).st_size, 4);
}

TEST(modes_of_opening) {
  make_folder();
  const int writer = open(folder, O_TMPFILE | O_WRONLY | O_APPEND, 0);
  REQUIRE(writer >= 0);
  char byte;
  CHECK_EQ(write(writer, "x", 1), 1);
  CHECK_ERRNO(read(writer, &byte, 1), EBADF);
  CHECK_EQ(stat_of(writer).st_mode, S_IFREG);
  const int again = open(link_of(writer), O_RDWR);
  CHECK(again >= 0);
  CHECK_EQ(read(again, &byte, 1), 1);
  remove_folder();
}

TEST(its_owner) {
  make_folder();
  REQUIRE(chown(folder, 0, 3000) == 0 && chmod(folder, 02777) == 0);
  CHECK_EXITED(check::in_child([] {
                 if (setgid(1000) || setuid(1000)) return 71;
                 const struct stat inode = stat_of(open(folder, O_TMPFILE | O_RDWR, 0644));
                 CHECK_EQ(inode.st_uid, 1000);
                 CHECK_EQ(inode.st_gid, 3000);
                 return 0;
               }),
               0);
  REQUIRE(chmod(folder, 0755) == 0);
  CHECK_EXITED(check::in_child([] {
                 if (setgid(1000) || setuid(1000)) return 71;
                 CHECK_ERRNO(open(folder, O_TMPFILE | O_RDWR, 0644), EACCES);
                 return 0;
               }),
               0);
  remove_folder();
}

TEST(it_gets_a_name) {
  make_folder();
  for (bool by_descriptor : {false, true}) {
    const int fd = open(folder, O_TMPFILE | O_RDWR, 0600);
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_ERRNO(linkat(AT_FDCWD, link_of(fd), AT_FDCWD, named, 0), EXDEV);
    CHECK_ERRNO(linkat(fd, "", AT_FDCWD, named, 0), ENOENT);
    CHECK_EQ(by_descriptor ? linkat(fd, "", AT_FDCWD, named, AT_EMPTY_PATH)
                           : linkat(AT_FDCWD, link_of(fd), AT_FDCWD, named, AT_SYMLINK_FOLLOW),
             0);
    struct stat inode, other = stat_of(fd);
    CHECK_EQ(stat(named, &inode), 0);
    CHECK_EQ(inode.st_ino, other.st_ino);
    CHECK_EQ(inode.st_nlink, 1);
    CHECK_EQ(inode.st_size, 3);
    CHECK_ERRNO(linkat(fd, "", AT_FDCWD, named, AT_EMPTY_PATH), EEXIST);
    CHECK_EQ(linkat(fd, "", AT_FDCWD, "/tmp/unnamed/second", AT_EMPTY_PATH), 0);
    CHECK_EQ(stat_of(fd).st_nlink, 2);
    close(fd);
    CHECK_EQ(access(named, R_OK), 0);
    CHECK_EQ(unlink("/tmp/unnamed/second"), 0);
    CHECK_EQ(unlink(named), 0);
  }
  remove_folder();
}

TEST(once_it_has_lost_its_name_it_gets_no_other) {
  make_folder();
  const int fd = open(folder, O_TMPFILE | O_RDWR, 0600);
  CHECK_EQ(linkat(fd, "", AT_FDCWD, named, AT_EMPTY_PATH), 0);
  CHECK_EQ(unlink(named), 0);
  CHECK_ERRNO(linkat(fd, "", AT_FDCWD, named, AT_EMPTY_PATH), ENOENT);
  const int usual = open(named, O_CREAT | O_RDWR, 0600);
  CHECK_EQ(unlink(named), 0);
  CHECK_ERRNO(linkat(usual, "", AT_FDCWD, named, AT_EMPTY_PATH), ENOENT);
  remove_folder();
}

TEST(with_o_excl_it_never_gets_one) {
  make_folder();
  const int fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL, 0600);
  REQUIRE(fd >= 0);
  CHECK_ERRNO(linkat(fd, "", AT_FDCWD, named, AT_EMPTY_PATH), ENOENT);
  CHECK_ERRNO(linkat(AT_FDCWD, link_of(fd), AT_FDCWD, named, AT_SYMLINK_FOLLOW), ENOENT);
  remove_folder();
}
