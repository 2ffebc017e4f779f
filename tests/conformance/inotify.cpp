// Conformance, inotify: which events there are, and in which order.
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "inotify.h"

namespace {

void* volatile const nowhere = reinterpret_cast<void*>(8);

}  // namespace

TEST(what_is_done_to_a_file) {
  Folder f;
  close(make_file("a"));
  Watcher w;
  REQUIRE(w.add(in_folder("a"), IN_ALL_EVENTS) == 1);
  const int fd = open(in_folder("a"), O_RDWR);
  EXPECT(w.all(), "1 20 ,");
  char text[4];
  CHECK_EQ(read(fd, text, 4), 4);
  CHECK_EQ(read(fd, text, 4), 0);
  EXPECT(w.all(), "1 1 ,");
  CHECK_EQ(write(fd, text, 4), 4);
  CHECK_EQ(write(fd, text, 0), 0);
  CHECK_EQ(pread(fd, text, 4, 0), 4);
  CHECK_EQ(pwrite(fd, text, 4, 0), 4);
  EXPECT(w.all(), "1 2 ,1 1 ,1 2 ,");
  iovec parts[] = {{text, 2}, {text, 2}};
  CHECK_EQ(preadv(fd, parts, 2, 0), 4);
  CHECK_EQ(pwritev(fd, parts, 2, 0), 4);
  CHECK_EQ(ftruncate(fd, 2), 0);
  EXPECT(w.all(), "1 1 ,1 2 ,");
  CHECK_EQ(fchmod(fd, 0600), 0);
  CHECK_EQ(fchown(fd, 0, 0), 0);
  EXPECT(w.all(), "1 4 ,");
  close(fd);
  EXPECT(w.all(), "1 8 ,");
  close(open(in_folder("a"), O_RDONLY));
  EXPECT(w.all(), "1 20 ,1 10 ,");
  close(open(in_folder("a"), O_WRONLY | O_TRUNC));
  EXPECT(w.all(), "1 20 ,1 2 ,1 8 ,");
  close(open(in_folder("a"), O_PATH));
  EXPECT(w.all(), "");
  CHECK_EQ(truncate(in_folder("a"), 10), 0);
  CHECK_EQ(chmod(in_folder("a"), 0644), 0);
  CHECK_EQ(utimes(in_folder("a"), nullptr), 0);
  EXPECT(w.all(), "1 2 ,1 4 ,");
  const timespec access[2] = {{5, 0}, {0, UTIME_OMIT}}, change[2] = {{0, UTIME_OMIT}, {5, 0}};
  CHECK_EQ(utimensat(AT_FDCWD, in_folder("a"), access, 0), 0);
  EXPECT(w.all(), "1 1 ,");
  CHECK_EQ(utimensat(AT_FDCWD, in_folder("a"), change, 0), 0);
  EXPECT(w.all(), "1 2 ,");
}

TEST(what_is_done_in_a_folder) {
  Folder f;
  Watcher w;
  REQUIRE(w.add(folder, IN_ALL_EVENTS) == 1);
  const int fd = make_file("a");
  EXPECT(w.all(), "1 100 a,1 20 a,1 2 a,");
  char text[8];
  CHECK_EQ(pread(fd, text, 4, 0), 4);
  fchmod(fd, 0600);
  close(fd);
  EXPECT(w.all(), "1 1 a,1 4 a,1 8 a,");
  CHECK_EQ(link(in_folder("a"), in_folder("b", 1)), 0);
  CHECK_EQ(symlink("a", in_folder("c")), 0);
  CHECK_EQ(mkdir(in_folder("dir"), 0755), 0);
  EXPECT(w.all(), "1 100 b,1 100 c,1 40000100 dir,");
  CHECK_EQ(chmod(in_folder("dir"), 0700), 0);
  EXPECT(w.all(), "1 40000004 dir,");
  CHECK_EQ(unlink(in_folder("b")), 0);
  CHECK_EQ(rmdir(in_folder("dir")), 0);
  EXPECT(w.all(), "1 200 b,1 40000200 dir,");
  CHECK_EQ(mkfifo(in_folder("b"), 0600), 0);
  EXPECT(w.all(), "1 100 b,");
  CHECK_EQ(chmod(folder, 0755), 0);
  EXPECT(w.all(), "1 40000004 ,");
}

TEST(listing_a_folder) {
  Folder f;
  Watcher w;
  REQUIRE(w.add(folder, IN_ALL_EVENTS) == 1);
  const int fd = open(folder, O_RDONLY | O_DIRECTORY);
  EXPECT(w.all(), "1 40000020 ,");
  char entries[1024];
  CHECK(syscall(217, fd, entries, sizeof entries) > 0);
  EXPECT(w.all(), "1 40000001 ,");
  close(fd);
  EXPECT(w.all(), "1 40000010 ,");
}

TEST(moves_are_tied_by_a_cookie) {
  Folder f;
  mkdir(in_folder("dir"), 0755);
  close(make_file("a"));
  Watcher w;
  REQUIRE(w.add(folder, IN_MOVE) == 1);
  REQUIRE(w.add(in_folder("dir"), IN_MOVE) == 2);
  REQUIRE(w.add(in_folder("a"), IN_ALL_EVENTS) == 3);
  CHECK_EQ(rename(in_folder("a"), in_folder("dir/a", 1)), 0);
  EXPECT(w.next(), "1 40 a");
  const unsigned cookie = w.cookie;
  CHECK(cookie != 0);
  EXPECT(w.next(), "2 80 a");
  CHECK_EQ(w.cookie, cookie);
  EXPECT(w.next(), "3 800 ");
  CHECK_EQ(w.cookie, 0);
  CHECK_EQ(rename(in_folder("dir/a"), in_folder("b", 1)), 0);
  EXPECT(w.next(), "2 40 a");
  CHECK(w.cookie != cookie);
  EXPECT(w.all(), "1 80 b,3 800 ,");
  CHECK_EQ(rename(in_folder("dir"), in_folder("other", 1)), 0);
  EXPECT(w.all(), "1 40000040 dir,1 40000080 other,");
}

TEST(a_move_onto_another) {
  Folder f;
  close(make_file("a"));
  close(make_file("b"));
  Watcher w;
  REQUIRE(w.add(in_folder("b"), IN_ALL_EVENTS) == 1);
  CHECK_EQ(rename(in_folder("a"), in_folder("b", 1)), 0);
  EXPECT(w.all(), "1 4 ,1 400 ,1 8000 ,");
  REQUIRE(w.add(in_folder("b"), IN_ALL_EVENTS) == 2);
  CHECK_EQ(link(in_folder("b"), in_folder("c", 1)), 0);
  EXPECT(w.all(), "2 4 ,");
  CHECK_EQ(rename(in_folder("b"), in_folder("c", 1)), 0);  // the same file: nothing happens
  EXPECT(w.all(), "");
}

TEST(the_end_of_a_file) {
  Folder f;
  const int fd = make_file("a");
  Watcher w;
  REQUIRE(w.add(in_folder("a"), IN_ALL_EVENTS) == 1);
  REQUIRE(w.add(folder, IN_DELETE) == 2);
  CHECK_EQ(unlink(in_folder("a")), 0);
  EXPECT(w.all(), "1 4 ,2 200 a,");
  close(fd);
  EXPECT(w.all(), "1 8 ,1 400 ,1 8000 ,");
  CHECK_ERRNO(inotify_rm_watch(w.fd, 1), EINVAL);
  close(make_file("b"));
  REQUIRE(w.add(in_folder("b"), IN_DELETE_SELF) == 3);
  CHECK_EQ(unlink(in_folder("b")), 0);
  EXPECT(w.all(), "3 400 ,3 8000 ,2 200 b,");
}

TEST(the_end_of_a_folder) {
  Folder f;
  mkdir(in_folder("dir"), 0755);
  Watcher w;
  REQUIRE(w.add(in_folder("dir"), IN_ALL_EVENTS) == 1);
  REQUIRE(w.add(folder, IN_ALL_EVENTS) == 2);
  CHECK_EQ(rmdir(in_folder("dir")), 0);
  EXPECT(w.all(), "1 400 ,1 8000 ,2 40000200 dir,");
}

TEST(masks) {
  Folder f;
  close(make_file("a"));
  Watcher w;
  REQUIRE(w.add(in_folder("a"), IN_OPEN) == 1);
  close(open(in_folder("a"), O_RDONLY));
  EXPECT(w.all(), "1 20 ,");
  CHECK_EQ(w.add(in_folder("a"), IN_CLOSE), 1);  // replaced
  close(open(in_folder("a"), O_RDONLY));
  EXPECT(w.all(), "1 10 ,");
  CHECK_EQ(w.add(in_folder("a"), IN_OPEN | IN_MASK_ADD), 1);
  close(open(in_folder("a"), O_RDONLY));
  EXPECT(w.all(), "1 20 ,1 10 ,");
  CHECK_ERRNO(w.add(in_folder("a"), IN_OPEN | IN_MASK_CREATE), EEXIST);
  CHECK_ERRNO(w.add(in_folder("a"), IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
  CHECK_EQ(w.add(in_folder("a"), IN_OPEN | IN_ONESHOT), 1);
  close(open(in_folder("a"), O_RDONLY));
  EXPECT(w.all(), "1 20 ,1 8000 ,");
  CHECK_EQ(w.add(in_folder("a"), IN_OPEN | IN_MASK_CREATE), 2);
  CHECK_EQ(inotify_rm_watch(w.fd, 2), 0);
  EXPECT(w.all(), "2 8000 ,");
}

TEST(links_are_followed_unless) {
  Folder f;
  close(make_file("a"));
  REQUIRE(symlink("a", in_folder("b")) == 0);
  Watcher w;
  CHECK_EQ(w.add(in_folder("b"), IN_OPEN), 1);
  CHECK_EQ(w.add(in_folder("a"), IN_OPEN), 1);
  CHECK_EQ(w.add(in_folder("b"), IN_OPEN | IN_DONT_FOLLOW), 2);
  CHECK_ERRNO(w.add(in_folder("a"), IN_OPEN | IN_ONLYDIR), ENOTDIR);
  CHECK_EQ(w.add(folder, IN_OPEN | IN_ONLYDIR), 3);
}

TEST(refused_arguments) {
  Folder f;
  CHECK_ERRNO(inotify_init1(1), EINVAL);
  Watcher w;
  CHECK_EQ(fcntl(w.fd, F_GETFD), 0);
  const int closed = inotify_init1(IN_CLOEXEC);
  CHECK_EQ(fcntl(closed, F_GETFD), FD_CLOEXEC);
  CHECK_ERRNO(w.add(folder, 0), EINVAL);
  CHECK_ERRNO(inotify_add_watch(-1, folder, IN_OPEN), EBADF);
  CHECK_ERRNO(inotify_add_watch(1, folder, IN_OPEN), EINVAL);
  CHECK_ERRNO(w.add(in_folder("missing"), IN_OPEN), ENOENT);
  CHECK_ERRNO(w.add("", IN_OPEN), ENOENT);
  CHECK_ERRNO(w.add(static_cast<char*>(nowhere), IN_OPEN), EFAULT);
  CHECK_ERRNO(inotify_rm_watch(w.fd, 1), EINVAL);
  CHECK_ERRNO(inotify_rm_watch(1, 1), EINVAL);
  CHECK_ERRNO(inotify_rm_watch(-1, 1), EBADF);
  CHECK_EQ(w.add(folder, IN_OPEN), 1);
  chmod(folder, 0700);
  CHECK_EXITED(check::in_child([] {
                 REQUIRE(setuid(1000) == 0);
                 Watcher own;
                 CHECK_ERRNO(own.add(folder, IN_OPEN), EACCES);
                 return 0;
               }),
               0);
}
