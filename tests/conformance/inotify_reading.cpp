// Conformance, inotify: how events are read, joined and lost.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "inotify.h"

namespace {

void* volatile const nowhere = reinterpret_cast<void*>(8);

}  // namespace

TEST(equal_events_are_one) {
  Folder f;
  const int fd = make_file("a");
  Watcher w;
  w.add(folder, IN_MODIFY | IN_ATTRIB);
  for (int i = 0; i < 5; ++i) CHECK_EQ(write(fd, "x", 1), 1);
  fchmod(fd, 0600);
  for (int i = 0; i < 5; ++i) CHECK_EQ(write(fd, "x", 1), 1);
  EXPECT(w.all(), "1 2 a,1 4 a,1 2 a,");
}

TEST(how_they_are_read) {
  Folder f;
  close(make_file("a"));
  Watcher w;
  char event[64];
  CHECK_ERRNO(read(w.fd, event, sizeof event), EAGAIN);
  pollfd entry = {w.fd, POLLIN | POLLOUT, 0};
  CHECK_EQ(poll(&entry, 1, 0), 0);
  int bytes = -1;
  CHECK_EQ(ioctl(w.fd, FIONREAD, &bytes), 0);
  CHECK_EQ(bytes, 0);
  w.add(folder, IN_OPEN | IN_CLOSE);
  close(open(in_folder("a"), O_RDONLY));
  CHECK_EQ(poll(&entry, 1, 0), 1);
  CHECK_EQ(entry.revents, POLLIN);
  CHECK_EQ(ioctl(w.fd, FIONREAD, &bytes), 0);
  CHECK_EQ(bytes, 64);
  CHECK_ERRNO(read(w.fd, event, 31), EINVAL);
  CHECK_EQ(read(w.fd, event, 33), 32);
  CHECK_ERRNO(read(w.fd, nowhere, 64), EFAULT);
  CHECK_ERRNO(write(w.fd, event, 1), EBADF);
}

TEST(a_long_name_arrives_whole) {
  Folder f;
  char name[256];
  memset(name, 'n', 255);
  name[255] = 0;
  Watcher w;
  w.add(folder, IN_CREATE);
  char path[400];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  const int fd = open(path, O_CREAT | O_WRONLY, 0600);
  char wanted[300];
  snprintf(wanted, sizeof wanted, "1 100 %s", name);
  EXPECT(w.next(), wanted);
  close(fd);
  unlink(path);
}

TEST(a_reader_waits) {
  Folder f;
  const int fd = inotify_init();
  REQUIRE(inotify_add_watch(fd, folder, IN_CREATE) == 1);
  const pid_t child = check::start_child([] {
    usleep(20000);
    close(make_file("a"));
    return 0;
  });
  alignas(8) char event[64];
  CHECK_EQ(read(fd, event, sizeof event), 32);
  CHECK(strcmp(reinterpret_cast<inotify_event*>(event)->name, "a") == 0);
  waitpid(child, nullptr, 0);
}

TEST(another_process_hears_too) {
  Folder f;
  Watcher w;
  w.add(folder, IN_CREATE);
  CHECK_EXITED(check::in_child([] {
                 Watcher own;
                 CHECK_EQ(own.add(folder, IN_CREATE), 1);
                 close(make_file("a"));
                 EXPECT(own.all(), "1 100 a,");
                 return 0;
               }),
               0);
  EXPECT(w.all(), "1 100 a,");
}

TEST(too_many_are_told_once) {
  Folder f;
  const int fd = make_file("a");
  Watcher w;
  w.add(folder, IN_ALL_EVENTS);
  for (int i = 0; i < 20000; ++i) {
    REQUIRE(fchmod(fd, 0600) == 0);
    REQUIRE(pwrite(fd, "x", 1, 0) == 1);
  }
  int overflows = 0, others = 0;
  const char* last = "";
  for (const char* event = w.next(); *event; event = w.next()) {
    const bool overflow = strcmp(event, "-1 4000 ") == 0;
    overflow ? ++overflows : ++others;
    last = overflow ? "overflow" : "event";
  }
  CHECK_EQ(overflows, 1);
  CHECK(others >= 1024);
  CHECK(strcmp(last, "overflow") == 0);
  fchmod(fd, 0600);
  EXPECT(w.all(), "1 4 a,");
}

TEST(the_watcher_ends_first) {
  Folder f;
  const int fd = make_file("a");
  {
    Watcher w;
    w.add(in_folder("a"), IN_ALL_EVENTS);
    w.add(folder, IN_ALL_EVENTS);
    CHECK_EQ(write(fd, "x", 1), 1);
  }
  CHECK_EQ(write(fd, "x", 1), 1);
  CHECK_EQ(unlink(in_folder("a")), 0);
  close(fd);
}
