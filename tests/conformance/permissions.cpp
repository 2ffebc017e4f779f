// Conformance, permissions of files: owner, group and others, directories on the way, sticky ones,
// who may change what, and whose a new file is.
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "check.h"

constexpr uid_t user = 1000, other = 2000;

/// A world of root's, in a folder of its own, that everybody may write.
static void make_world() {
  umask(0);
  mkdir("/tmp/permissions", 0777);
  REQUIRE(chdir("/tmp/permissions") == 0);
  mkdir("closed", 0700);
  close(creat("closed/file", 0666));
  mkdir("searched", 0711);
  close(creat("searched/file", 0644));
  mkdir("listed", 0744);
  close(creat("listed/file", 0644));
  mkdir("sticky", 01777);
  close(creat("sticky/file", 0644));
  close(creat("secret", 0600));
  close(creat("read", 0644));
  close(creat("script", 0755));
  close(creat("of-group", 0060));
  REQUIRE(chown("of-group", 0, 3000) == 0);
  close(creat("of-user", 0600));
  REQUIRE(chown("of-user", user, user) == 0);
  mkdir("of-other", 0755);
  REQUIRE(chown("of-other", other, other) == 0);
}

static void remove_tree(const char* path) {
  pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/rm", "rm", "-rf", path, nullptr);
    execl("/bin/busybox", "rm", "-rf", path, nullptr);
    _exit(1);
  }
  waitpid(pid, nullptr, 0);
}

template <class Body>
static void as_user(uid_t uid, std::initializer_list<gid_t> groups, Body body) {
  make_world();
  CHECK_EXITED(check::in_child([&] {
                 if (setgroups(groups.size(), groups.begin()) || setgid(uid) || setuid(uid))
                   return 71;
                 body();
                 return 0;
               }),
               0);
  remove_tree("/tmp/permissions");
}

TEST(contents) {
  as_user(user, {}, [] {
    CHECK_ERRNO(open("secret", O_RDONLY), EACCES);
    CHECK_ERRNO(open("secret", O_WRONLY), EACCES);
    CHECK_ERRNO(open("secret", O_RDONLY | O_CREAT, 0600), EACCES);
    CHECK_ERRNO(open("secret", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK(open("secret", O_PATH) >= 0);
    CHECK(open("read", O_RDONLY) >= 0);
    CHECK_ERRNO(open("read", O_RDWR), EACCES);
    CHECK_ERRNO(open("read", O_RDONLY | O_TRUNC), EACCES);
    CHECK_ERRNO(open("read", O_RDONLY | O_NOATIME), EPERM);
    CHECK(open("of-user", O_RDWR) >= 0);
    CHECK_ERRNO(open("of-group", O_RDONLY), EACCES);
    CHECK_ERRNO(truncate("read", 0), EACCES);
    CHECK_EQ(truncate("of-user", 0), 0);
  });
}

TEST(groups) {
  as_user(user, {3000}, [] {
    CHECK(open("of-group", O_RDWR) >= 0);
    CHECK_EQ(access("of-group", R_OK | W_OK), 0);
    CHECK_ERRNO(access("of-group", X_OK), EACCES);
  });
}

TEST(the_owner_is_not_one_of_the_group) {
  make_world();
  REQUIRE(chown("of-group", user, 3000) == 0);
  CHECK_EXITED(check::in_child([] {
                 gid_t group = 3000;
                 if (setgroups(1, &group) || setgid(user) || setuid(user)) return 71;
                 CHECK_ERRNO(open("of-group", O_RDONLY), EACCES);
                 return 0;
               }),
               0);
  remove_tree("/tmp/permissions");
}

TEST(directories_on_the_way) {
  as_user(user, {}, [] {
    struct stat inode;
    CHECK_ERRNO(stat("closed/file", &inode), EACCES);
    CHECK_EQ(stat("closed", &inode), 0);
    CHECK_ERRNO(open("closed", O_RDONLY), EACCES);
    CHECK_ERRNO(chdir("closed"), EACCES);
    CHECK_ERRNO(stat("closed/nothing", &inode), EACCES);
    CHECK_ERRNO(stat("closed/..", &inode), EACCES);
    CHECK_EQ(stat("searched/file", &inode), 0);
    CHECK_ERRNO(open("searched", O_RDONLY), EACCES);
    CHECK_EQ(chdir("searched"), 0);
    CHECK_EQ(chdir(".."), 0);
    CHECK(open("listed", O_RDONLY) >= 0);
    CHECK_ERRNO(stat("listed/file", &inode), EACCES);
    CHECK_ERRNO(mkdir("closed/d", 0755), EACCES);
    CHECK_ERRNO(unlink("closed/file"), EACCES);
    CHECK_ERRNO(readlink("closed/file", (char*)&inode, 10), EACCES);
    CHECK_ERRNO(chroot("/tmp"), EPERM);
    CHECK_ERRNO(chroot("closed"), EACCES);
  });
}

TEST(names) {
  as_user(user, {}, [] {
    CHECK_ERRNO(open("searched/new", O_WRONLY | O_CREAT, 0644), EACCES);
    CHECK_ERRNO(mkdir("searched/new", 0755), EACCES);
    CHECK_ERRNO(mkdir("searched/file", 0755), EEXIST);
    CHECK_ERRNO(symlink("x", "searched/new"), EACCES);
    CHECK_ERRNO(link("of-user", "searched/new"), EACCES);
    CHECK_ERRNO(unlink("searched/file"), EACCES);
    CHECK_ERRNO(unlink("searched/nothing"), ENOENT);
    CHECK_ERRNO(rename("searched/file", "moved"), EACCES);
    CHECK_ERRNO(rename("of-user", "searched/moved"), EACCES);
    CHECK_ERRNO(rmdir("searched"), ENOTEMPTY);
    CHECK_ERRNO(rename("of-other", "sticky/of-other"), EACCES);  // its .. would change
    CHECK_EQ(rename("of-other", "another"), 0);
    CHECK_EQ(unlink("secret"), 0);
    CHECK_ERRNO(mknod("device", S_IFCHR | 0666, 0x103), EPERM);
    CHECK_EQ(mknod("fifo", S_IFIFO | 0666, 0), 0);
  });
}

TEST(sticky_directories) {
  as_user(user, {}, [] {
    CHECK_ERRNO(unlink("sticky/file"), EPERM);
    CHECK_ERRNO(rename("sticky/file", "moved"), EPERM);
    CHECK_ERRNO(rename("of-user", "sticky/file"), EPERM);
    close(creat("sticky/own", 0600));
    CHECK_EQ(rename("sticky/own", "sticky/renamed"), 0);
    CHECK_EQ(unlink("sticky/renamed"), 0);
  });
}

TEST(attributes) {
  as_user(user, {3000}, [] {
    struct timespec times[2] = {{1, 0}, {1, 0}}, now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    struct stat inode;
    CHECK_ERRNO(chmod("secret", 0777), EPERM);
    CHECK_EQ(chmod("of-user", 0640), 0);
    CHECK_ERRNO(chown("secret", user, user), EPERM);
    CHECK_ERRNO(chown("of-user", other, -1), EPERM);
    CHECK_ERRNO(chown("of-user", -1, 4000), EPERM);
    CHECK_EQ(chown("of-user", user, 3000), 0);
    CHECK_EQ(chmod("of-user", 02755), 0);
    CHECK_EQ(stat("of-user", &inode), 0);
    CHECK_EQ(inode.st_mode & 07777, 02755);
    CHECK_EQ(inode.st_gid, 3000);
    CHECK_ERRNO(utimensat(AT_FDCWD, "read", times, 0), EPERM);
    CHECK_ERRNO(utimensat(AT_FDCWD, "read", now, 0), EACCES);
    CHECK_ERRNO(utimensat(AT_FDCWD, "read", nullptr, 0), EACCES);
    CHECK_EQ(utimensat(AT_FDCWD, "of-user", times, 0), 0);
  });
}

TEST(only_members_set_the_group_bit) {
  make_world();
  REQUIRE(chown("of-user", user, 4000) == 0);
  CHECK_EXITED(check::in_child([] {
                 if (setgroups(0, nullptr) || setgid(user) || setuid(user)) return 71;
                 CHECK_EQ(chmod("of-user", 02777), 0);
                 struct stat inode;
                 stat("of-user", &inode);
                 CHECK_EQ(inode.st_mode & 07777, 0777);
                 return 0;
               }),
               0);
  remove_tree("/tmp/permissions");
}

TEST(access_asks_for_the_real_ids) {
  make_world();
  CHECK_EXITED(check::in_child([] {
                 if (setgroups(0, nullptr) || setresuid(user, 0, 0)) return 71;
                 CHECK_ERRNO(access("secret", R_OK), EACCES);
                 CHECK_ERRNO(access("closed/file", F_OK), EACCES);
                 CHECK_EQ(access("of-user", R_OK | W_OK), 0);
                 CHECK_EQ(faccessat(AT_FDCWD, "read", R_OK, 0), 0);
                 CHECK_EQ(syscall(SYS_faccessat2, AT_FDCWD, "secret", R_OK, AT_EACCESS), 0);
                 CHECK(open("secret", O_RDONLY) >= 0);
                 return 0;
               }),
               0);
  CHECK_ERRNO(access("secret", X_OK), EACCES);
  CHECK_EQ(access("secret", R_OK | W_OK), 0);
  CHECK_EQ(access("script", X_OK), 0);
  remove_tree("/tmp/permissions");
}

TEST(programs) {
  make_world();
  chmod("script", 0700);
  CHECK_EXITED(check::in_child([] {
                 if (setgroups(0, nullptr) || setgid(user) || setuid(user)) return 71;
                 CHECK_ERRNO(execl("script", "script", nullptr), EACCES);
                 CHECK_ERRNO(execl("closed/file", "file", nullptr), EACCES);
                 CHECK_ERRNO(execl("of-user", "of-user", nullptr), EACCES);
                 return 0;
               }),
               0);
  remove_tree("/tmp/permissions");
}

TEST(new_files_are_their_makers) {
  make_world();
  CHECK_EXITED(check::in_child([] {
                 if (setegid(user) || seteuid(user)) return 71;
                 struct stat inode;
                 close(open("f", O_CREAT | O_RDWR, 0644));
                 stat("f", &inode);
                 CHECK(inode.st_uid == user && inode.st_gid == user);
                 mkdir("d", 0755);
                 stat("d", &inode);
                 CHECK(inode.st_uid == user && inode.st_gid == user);
                 CHECK_EQ(symlink("x", "s"), 0);
                 lstat("s", &inode);
                 CHECK(inode.st_uid == user && inode.st_gid == user);
                 mkfifo("p", 0600);
                 stat("p", &inode);
                 CHECK(inode.st_uid == user && inode.st_gid == user);
                 return 0;
               }),
               0);
  remove_tree("/tmp/permissions");
}

TEST(set_group_id_directories) {
  make_world();
  struct stat inode;
  mkdir("d", 0777);
  REQUIRE(chown("d", 0, 3000) == 0 && chmod("d", 02777) == 0);
  close(open("d/f", O_CREAT | O_RDWR, 0644));
  stat("d/f", &inode);
  CHECK_EQ(inode.st_gid, 3000);
  CHECK_EQ(inode.st_mode & 07777, 0644);
  mkdir("d/e", 0755);
  stat("d/e", &inode);
  CHECK_EQ(inode.st_gid, 3000);
  CHECK_EQ(inode.st_mode & 07777, 02755);
  remove_tree("/tmp/permissions");
}

TEST(other_peoples_files_get_no_links) {
  as_user(user, {}, [] {
    struct stat inode;
    CHECK_EQ(link("of-user", "own-link"), 0);
    stat("own-link", &inode);
    CHECK_EQ(inode.st_nlink, 2);
  });
}

static int local_socket(const char* path, bool binds) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, path);
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  const int outcome = binds ? bind(fd, (sockaddr*)&address, sizeof address)
                            : connect(fd, (sockaddr*)&address, sizeof address);
  return outcome == 0 ? fd : -1;
}

TEST(local_sockets_are_files) {
  as_user(user, {}, [] {
    struct stat inode;
    CHECK_ERRNO(local_socket("searched/socket", true), EACCES);
    CHECK_ERRNO(local_socket("closed/socket", false), EACCES);
    CHECK_ERRNO(local_socket("read", false), EACCES);
    CHECK(local_socket("socket", true) >= 0);
    CHECK_EQ(stat("socket", &inode), 0);
    CHECK(inode.st_uid == user && inode.st_gid == user);
    CHECK(local_socket("socket", false) >= 0);
    chmod("socket", 0555);
    CHECK_ERRNO(local_socket("socket", false), EACCES);
  });
}

TEST(other_peoples_places_in_proc) {
  const pid_t roots = getpid();
  as_user(user, {}, [&] {
    char path[64], target[64];
    for (const char* link : {"exe", "cwd", "root"}) {
      snprintf(path, sizeof path, "/proc/%d/%s", roots, link);
      CHECK_ERRNO(readlink(path, target, sizeof target), EACCES);
      CHECK_ERRNO(open(path, O_RDONLY), EACCES);
    }
    snprintf(path, sizeof path, "/proc/%d/cwd/read", roots);
    CHECK_ERRNO(open(path, O_RDONLY), EACCES);
    snprintf(path, sizeof path, "/proc/%d/fd/0", roots);
    CHECK_ERRNO(open(path, O_RDONLY), EACCES);
    CHECK(open("/proc/self/exe", O_RDONLY) >= 0);
    CHECK(open("/proc/self/cwd", O_RDONLY) >= 0);
  });
}

static volatile sig_atomic_t io_signals;

TEST(sockets_signal_only_whom_their_owner_may) {
  const pid_t roots = getpid();
  io_signals = 0;
  signal(SIGIO, [](int) { io_signals = io_signals + 1; });
  as_user(user, {}, [&] {
    int pair[2], on = 1;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK_EQ(fcntl(pair[0], F_SETOWN, roots), 0);
    CHECK_EQ(ioctl(pair[0], FIOASYNC, &on), 0);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(fcntl(pair[0], F_SETOWN, -getpgid(roots)), 0);
    CHECK_EQ(write(pair[1], "x", 1), 1);
  });
  CHECK_EQ(io_signals, 0);
  int pair[2], on = 1;
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  CHECK_EQ(fcntl(pair[0], F_SETOWN, roots), 0);
  CHECK_EQ(ioctl(pair[0], FIOASYNC, &on), 0);
  CHECK_EQ(write(pair[1], "x", 1), 1);
  CHECK_EQ(io_signals, 1);
  CHECK_ERRNO(fcntl(pair[0], F_SETOWN, INT32_MIN), EINVAL);
  CHECK_ERRNO(fcntl(pair[0], F_SETOWN, 0x3fffffff), ESRCH);
  CHECK_ERRNO(fcntl(pair[0], F_SETOWN, -0x3fffffff), ESRCH);
  const int lowest = INT32_MIN;
  CHECK_ERRNO(ioctl(pair[0], FIOSETOWN, &lowest), EINVAL);
  f_owner_ex owner = {F_OWNER_PGRP, INT32_MIN};
  CHECK_ERRNO(fcntl(pair[0], F_SETOWN_EX, &owner), ESRCH);
  CHECK_EQ(fcntl(pair[0], F_GETOWN), roots);
}

TEST(own_files_in_proc) {
  as_user(user, {}, [] {
    char target[64];
    CHECK(open("/proc/self/stat", O_RDONLY) >= 0);
    CHECK(open("/proc/self/fd", O_RDONLY) >= 0);
    CHECK(readlink("/proc/self/fd/0", target, sizeof target) > 0);
    CHECK_ERRNO(open("/proc/sys/kernel/ostype", O_WRONLY), EACCES);
    CHECK_ERRNO(open("/proc/1/environ", O_RDONLY), EACCES);
  });
}
