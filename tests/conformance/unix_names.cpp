// Conformance, local sockets: paths and abstract names, listening, accepting and connecting.
#include "sockets.h"

using namespace sockets;

namespace {

const char* directory() {
  static char name[] = "/tmp/unix-sockets-XXXXXX";
  static const char* made = mkdtemp(name);
  return made;
}
LocalName name_in_directory(const char* name) {
  char path[100];
  snprintf(path, sizeof path, "%s/%s", directory(), name);
  return LocalName(path);
}
int connected(const LocalName& name, int type = SOCK_STREAM) {
  int fd = socket(AF_UNIX, type, 0);
  return connect(fd, name.get(), name.bytes) == 0 ? fd : -1;
}

volatile sig_atomic_t signals = 0;
void count(int) {
  ++signals;
}
void catch_signal(int signal, int flags) {
  struct sigaction action = {};
  action.sa_handler = count;
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

}  // namespace

TEST(names_of_paths) {
  LocalName name = name_in_directory("server");
  umask(027);
  int listener = local_listener(name);
  REQUIRE(listener >= 0);
  struct stat s;
  CHECK_EQ(stat(name.address.sun_path, &s), 0);
  CHECK_EQ(s.st_mode, S_IFSOCK | 0750);
  CHECK_ERRNO(open(name.address.sun_path, O_RDWR), ENXIO);
  int again = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_ERRNO(bind(again, name.get(), name.bytes), EADDRINUSE);
  int client = connected(name);
  REQUIRE(client >= 0);
  sockaddr_un seen = {};
  socklen_t bytes = sizeof seen;
  int server = accept(listener, (sockaddr*)&seen, &bytes);
  REQUIRE(server >= 0);
  CHECK_EQ(bytes, 2);
  bytes = sizeof seen;
  CHECK_EQ(getpeername(client, (sockaddr*)&seen, &bytes), 0);
  CHECK_EQ(bytes, name.bytes);
  CHECK(strcmp(seen.sun_path, name.address.sun_path) == 0);
  bytes = sizeof seen;
  CHECK_EQ(getsockname(server, (sockaddr*)&seen, &bytes), 0);
  CHECK_EQ(bytes, name.bytes);
  bytes = 5;
  CHECK_EQ(getsockname(server, (sockaddr*)&seen, &bytes), 0);
  CHECK_EQ(bytes, name.bytes);  // more than there was room for
  bytes = (socklen_t)-1;
  CHECK_ERRNO(getsockname(server, (sockaddr*)&seen, &bytes), EINVAL);
  say_to(client, "hello");
  CHECK(hears(server, "hello"));
  CHECK_ERRNO(bind(listener, name_in_directory("other").get(), 20), EINVAL);
  CHECK_ERRNO(connect(client, name.get(), name.bytes), EISCONN);
  CHECK_ERRNO(connect(listener, name.get(), name.bytes), EINVAL);
  CHECK_ERRNO(listen(client, 1), EINVAL);
  close(listener);
  CHECK_ERRNO(connect(again, name.get(), name.bytes), ECONNREFUSED);
  CHECK_EQ(unlink(name.address.sun_path), 0);
  CHECK_ERRNO(connect(again, name.get(), name.bytes), ENOENT);
  rmdir(directory());
}

TEST(names_that_cannot_be) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  LocalName name("/nowhere/at/all");
  CHECK_ERRNO(bind(fd, name.get(), name.bytes), ENOENT);
  CHECK_ERRNO(bind(fd, LocalName("/dev/null/x").get(), 14), ENOTDIR);
  CHECK_ERRNO(bind(fd, name.get(), 1), EINVAL);
  CHECK_ERRNO(bind(fd, name.get(), 0), EINVAL);
  CHECK_ERRNO(bind(fd, name.get(), 111), EINVAL);
  CHECK_ERRNO(bind(fd, name.get(), 129), EINVAL);
  CHECK_ERRNO(bind(fd, (sockaddr*)8, 16), EFAULT);
  CHECK_ERRNO(connect(fd, name.get(), name.bytes), ENOENT);
  CHECK_ERRNO(connect(fd, name.get(), 2), EINVAL);
  LocalName file("/dev/null");
  CHECK_ERRNO(connect(fd, file.get(), file.bytes), ECONNREFUSED);
  name.address.sun_family = AF_INET;
  CHECK_ERRNO(bind(fd, name.get(), name.bytes), EINVAL);
  CHECK_ERRNO(connect(fd, name.get(), name.bytes), EINVAL);
}

TEST(abstract_names) {
  LocalName name("@typetwo-test");
  int listener = local_listener(name);
  REQUIRE(listener >= 0);
  int other = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_ERRNO(bind(other, name.get(), name.bytes), EADDRINUSE);
  CHECK_ERRNO(connect(other, name.get(), name.bytes - 1), ECONNREFUSED);
  CHECK_ERRNO(connect(other, name.get(), name.bytes + 1), ECONNREFUSED);
  int datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK_ERRNO(connect(datagrams, name.get(), name.bytes), ECONNREFUSED);
  CHECK_EQ(bind(datagrams, name.get(), name.bytes), 0);  // of another type
  CHECK(connected(name) >= 0);
  close(listener);
  CHECK_ERRNO(connect(other, name.get(), name.bytes), ECONNREFUSED);
  CHECK_EQ(bind(other, name.get(), name.bytes), 0);  // nothing is left of it
  // Any that is free.
  int any = socket(AF_UNIX, SOCK_STREAM, 0);
  const sa_family_t family = AF_UNIX;
  CHECK_EQ(bind(any, (const sockaddr*)&family, sizeof family), 0);
  sockaddr_un seen = {};
  socklen_t bytes = sizeof seen;
  CHECK_EQ(getsockname(any, (sockaddr*)&seen, &bytes), 0);
  CHECK_EQ(bytes, 8);
  CHECK_EQ(seen.sun_path[0], 0);
}

TEST(types_do_not_mix) {
  LocalName name = name_in_directory("packets");
  int listener = local_listener(name, 1, SOCK_SEQPACKET);
  REQUIRE(listener >= 0);
  int stream = socket(AF_UNIX, SOCK_STREAM, 0), datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK_ERRNO(connect(stream, name.get(), name.bytes), EPROTOTYPE);
  CHECK_ERRNO(connect(datagram, name.get(), name.bytes), EPROTOTYPE);
  CHECK_ERRNO(sendto(datagram, "x", 1, 0, name.get(), name.bytes), EPROTOTYPE);
  CHECK(connected(name, SOCK_SEQPACKET) >= 0);
  unlink(name.address.sun_path);
  rmdir(directory());
}

TEST(backlog_fills) {
  LocalName name("@typetwo-backlog");
  int listener = local_listener(name, 1);
  CHECK(connected(name) >= 0 && connected(name) >= 0);
  int third = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK_ERRNO(connect(third, name.get(), name.bytes), EAGAIN);
  CHECK_EQ(state(listener), POLLIN);
  timeval soon = {0, 20000};
  int waiting = socket(AF_UNIX, SOCK_STREAM, 0);
  setsockopt(waiting, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
  CHECK_ERRNO(connect(waiting, name.get(), name.bytes), EAGAIN);
  pid_t child = check::start_child([&] { return connected(name) < 0; });
  usleep(20000);
  CHECK(accept(listener, nullptr, nullptr) >= 0);
  CHECK(ends_well(child));
  // One who waits hears when there will never be room.
  child = check::start_child([&] {
    close(listener);
    return connected(name) >= 0 || errno != ECONNREFUSED;
  });
  usleep(20000);
  close(listener);
  CHECK(ends_well(child));
}

TEST(written_before_accepted) {
  LocalName name("@typetwo-early");
  int listener = local_listener(name);
  int client = connected(name);
  CHECK_EQ(say_to(client, "early"), 5);
  close(client);
  int server = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  CHECK_EQ(fcntl(server, F_GETFL), O_RDWR | O_NONBLOCK);
  CHECK_EQ(fcntl(server, F_GETFD), FD_CLOEXEC);
  CHECK(hears(server, "early"));
  CHECK(hears(server, ""));
  CHECK_ERRNO(accept4(listener, nullptr, nullptr, 1), EINVAL);
  client = connected(name);
  close(listener);  // and with it those who were not accepted
  char byte;
  CHECK_ERRNO(recv(client, &byte, 1, 0), ECONNRESET);
}

TEST(accept_waits_and_is_interrupted) {
  LocalName name("@typetwo-accept");
  int listener = local_listener(name);
  pid_t child = check::start_child([&] { return usleep(20000), connected(name) < 0; });
  CHECK(accept(listener, nullptr, nullptr) >= 0);
  CHECK(ends_well(child));
  catch_signal(SIGUSR1, 0);
  const pid_t self = getpid();
  child = check::start_child([&] { return usleep(20000), kill(self, SIGUSR1); });
  CHECK_ERRNO(accept(listener, nullptr, nullptr), EINTR);
  CHECK(ends_well(child));
  catch_signal(SIGUSR1, SA_RESTART);
  child = check::start_child(
      [&] { return usleep(20000), kill(self, SIGUSR1), usleep(20000), connected(name) < 0; });
  CHECK(accept(listener, nullptr, nullptr) >= 0);
  CHECK(ends_well(child));
  // With a time limit it is never made again.
  timeval second = {1, 0};
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  child = check::start_child([&] { return usleep(20000), kill(self, SIGUSR1); });
  CHECK_ERRNO(accept(listener, nullptr, nullptr), EINTR);
  CHECK(ends_well(child));
  CHECK_EQ(signals, 3);
  shutdown(listener, SHUT_RD);
  CHECK_ERRNO(accept(listener, nullptr, nullptr), EINVAL);
  CHECK_ERRNO(connect(socket(AF_UNIX, SOCK_STREAM, 0), name.get(), name.bytes), ECONNREFUSED);
}
