// Conformance, local sockets: streams, packets and datagrams, and who is told what when the other
// end goes.
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "sockets.h"

using namespace sockets;

namespace {

volatile sig_atomic_t signals = 0;
void count(int) {
  signals = signals + 1;
}
void catch_signal(int signal) {
  struct sigaction action = {};
  action.sa_handler = count;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

TEST(pair_carries_bytes_both_ways) {
  Pair pair;
  CHECK_EQ(state(pair.a), POLLOUT);
  CHECK_EQ(write(pair.a, "one", 3), 3);
  CHECK_EQ(send(pair.a, "two", 3, 0), 3);
  CHECK_EQ(state(pair.b), POLLIN | POLLOUT);
  int waiting = 0;
  CHECK_EQ(ioctl(pair.b, FIONREAD, &waiting), 0);
  CHECK_EQ(waiting, 6);
  CHECK(hears(pair.b, "onetwo", MSG_PEEK));
  CHECK(hears(pair.b, "onetwo"));
  CHECK_EQ(say_to(pair.b, "back"), 4);
  char one[2], two[8];
  iovec parts[] = {{one, 2}, {two, 8}};
  CHECK_EQ(readv(pair.a, parts, 2), 4);
  CHECK(memcmp(one, "ba", 2) == 0 && memcmp(two, "ck", 2) == 0);
  iovec out[] = {{(void*)"ab", 2}, {(void*)"", 0}, {(void*)"cde", 3}};
  CHECK_EQ(writev(pair.a, out, 3), 5);
  CHECK(hears(pair.b, "abcde"));
  CHECK_ERRNO(recv(pair.b, one, 1, MSG_DONTWAIT), EAGAIN);
  CHECK_EQ(read(pair.b, one, 0), 0);
}

TEST(is_a_file_of_its_own_kind) {
  Pair pair(SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
  CHECK_EQ(fcntl(pair.a, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(fcntl(pair.a, F_GETFL), O_RDWR | O_NONBLOCK);
  struct stat s;
  CHECK_EQ(fstat(pair.a, &s), 0);
  CHECK_EQ(s.st_mode, S_IFSOCK | 0777);
  CHECK_EQ(s.st_size, 0);
  char path[64], link[64] = {}, wanted[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", pair.a);
  CHECK(readlink(path, link, sizeof link - 1) > 0);
  snprintf(wanted, sizeof wanted, "socket:[%lu]", (unsigned long)s.st_ino);
  CHECK(strcmp(link, wanted) == 0);
  CHECK_ERRNO(open(path, O_RDWR), ENXIO);
  CHECK_ERRNO(lseek(pair.a, 0, SEEK_SET), ESPIPE);
  char byte;
  CHECK_ERRNO(pread(pair.a, &byte, 1, 0), ESPIPE);
  CHECK_ERRNO(read(pair.a, &byte, 1), EAGAIN);
  CHECK_ERRNO(ftruncate(pair.a, 0), EINVAL);
}

TEST(end_of_a_stream) {
  Pair pair;
  say_to(pair.a, "last");
  close(pair.a);
  CHECK_EQ(state(pair.b), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
  CHECK(hears(pair.b, "last"));
  CHECK(hears(pair.b, ""));
  CHECK(hears(pair.b, "", MSG_DONTWAIT));
  signal(SIGPIPE, SIG_IGN);
  CHECK_ERRNO(say_to(pair.b, "x"), EPIPE);
  CHECK_EQ(error_of(pair.b), 0);
}

TEST(end_with_unread_bytes_is_a_reset) {
  Pair pair;
  say_to(pair.b, "unread");
  say_to(pair.a, "sent");
  close(pair.a);
  CHECK_EQ(state(pair.b), POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLERR);
  CHECK(hears(pair.b, "sent"));
  char byte;
  CHECK_ERRNO(recv(pair.b, &byte, 1, 0), ECONNRESET);
  CHECK_EQ(recv(pair.b, &byte, 1, 0), 0);
  Pair other;
  say_to(other.b, "unread");
  close(other.a);
  CHECK_EQ(error_of(other.b), ECONNRESET);
  CHECK_EQ(error_of(other.b), 0);
}

TEST(broken_stream_raises_sigpipe) {
  Pair pair;
  close(pair.a);
  CHECK_KILLED(check::in_child([&] { return (int)write(pair.b, "x", 1); }), SIGPIPE);
  CHECK_KILLED(check::in_child([&] { return (int)send(pair.b, "x", 1, 0); }), SIGPIPE);
  iovec part = {(void*)"x", 1};
  CHECK_KILLED(check::in_child([&] { return (int)writev(pair.b, &part, 1); }), SIGPIPE);
  CHECK_EXITED(
      check::in_child([&] { return send(pair.b, "x", 1, MSG_NOSIGNAL) == -1 ? errno : 0; }), EPIPE);
  // Packets and datagrams do without.
  Pair packets(SOCK_SEQPACKET);
  close(packets.a);
  CHECK_ERRNO(send(packets.b, "x", 1, 0), EPIPE);
  Pair datagrams(SOCK_DGRAM);
  close(datagrams.a);
  CHECK_ERRNO(send(datagrams.b, "x", 1, 0), ECONNREFUSED);
  CHECK_ERRNO(send(datagrams.b, "x", 1, 0), ENOTCONN);
}

TEST(shutdown_of_one_direction) {
  Pair pair;
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(shutdown(pair.a, SHUT_WR), 0);
  CHECK_EQ(state(pair.b), POLLIN | POLLOUT | POLLRDHUP);
  CHECK_EQ(state(pair.a), POLLOUT);
  CHECK(hears(pair.b, ""));
  CHECK_ERRNO(say_to(pair.a, "x"), EPIPE);
  CHECK_EQ(say_to(pair.b, "still"), 5);
  CHECK(hears(pair.a, "still"));
  CHECK_EQ(shutdown(pair.a, SHUT_RD), 0);
  CHECK_EQ(state(pair.a), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
  CHECK_ERRNO(say_to(pair.b, "x"), EPIPE);
  CHECK_EQ(shutdown(pair.a, SHUT_RDWR), 0);
  CHECK_ERRNO(shutdown(pair.a, 3), EINVAL);
  int fresh = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQ(shutdown(fresh, SHUT_RDWR), 0);
}

TEST(fresh_sockets) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQ(state(fd), POLLOUT | POLLHUP);
  char byte;
  CHECK_ERRNO(recv(fd, &byte, 1, 0), EINVAL);
  CHECK_ERRNO(send(fd, "x", 1, 0), ENOTCONN);
  CHECK_ERRNO(listen(fd, 1), EINVAL);
  CHECK_ERRNO(accept(fd, nullptr, nullptr), EINVAL);
  sockaddr_un name;
  socklen_t bytes = sizeof name;
  CHECK_ERRNO(getpeername(fd, (sockaddr*)&name, &bytes), ENOTCONN);
  CHECK_EQ(getsockname(fd, (sockaddr*)&name, &bytes), 0);
  CHECK_EQ(bytes, 2);
  CHECK_EQ(name.sun_family, AF_UNIX);
  int packets = socket(AF_UNIX, SOCK_SEQPACKET, 0), datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK_ERRNO(recv(packets, &byte, 1, 0), ENOTCONN);
  CHECK_ERRNO(send(packets, "x", 1, 0), ENOTCONN);
  CHECK_ERRNO(send(datagrams, "x", 1, 0), ENOTCONN);
  CHECK_EQ(state(datagrams), POLLOUT);
  CHECK_ERRNO(listen(datagrams, 1), EOPNOTSUPP);
  CHECK_ERRNO(accept(datagrams, nullptr, nullptr), EOPNOTSUPP);
}

TEST(socket_refuses) {
  CHECK_ERRNO(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
  CHECK_ERRNO(socket(47, SOCK_STREAM, 0), EAFNOSUPPORT);
  CHECK_ERRNO(socket(AF_UNIX, 0, 0), ESOCKTNOSUPPORT);
  CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
  CHECK_ERRNO(socket(AF_UNIX, 15, 0), EINVAL);
  CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
  CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 6), EPROTONOSUPPORT);
  CHECK(socket(AF_UNIX, SOCK_STREAM, AF_UNIX) >= 0);
  CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, (int*)8), EFAULT);
  CHECK_ERRNO(bind(0, nullptr, 0), ENOTSOCK);
  CHECK_ERRNO(bind(99, nullptr, 0), EBADF);
  CHECK_ERRNO(send(1, "x", 1, 0), ENOTSOCK);
  CHECK_ERRNO(accept4(0, nullptr, nullptr, 0), ENOTSOCK);
}

TEST(time_limits) {
  Pair pair;
  timeval soon = {0, 30000}, seen = {};
  CHECK_EQ(setsockopt(pair.a, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), 0);
  CHECK_EQ(setsockopt(pair.a, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon), 0);
  socklen_t bytes = sizeof seen;
  CHECK_EQ(getsockopt(pair.a, SOL_SOCKET, SO_RCVTIMEO, &seen, &bytes), 0);
  CHECK(seen.tv_sec == 0 && seen.tv_usec >= 30000 && seen.tv_usec < 35000);
  char byte;
  CHECK_ERRNO(recv(pair.a, &byte, 1, 0), EAGAIN);
  static char much[4096];
  long sent = 0;
  for (long part; (part = send(pair.a, much, sizeof much, 0)) > 0;) sent += part;
  CHECK_EQ(errno, EAGAIN);
  CHECK(sent > 50000);
  CHECK_EQ(state(pair.a), 0);
  soon.tv_usec = 1'000'000;
  CHECK_ERRNO(setsockopt(pair.a, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), EDOM);
}

TEST(a_full_stream_waits_for_its_reader) {
  Pair pair;
  static char block[65536];
  constexpr long total = 40 * (long)sizeof block;
  pid_t child = check::start_child([&] {
    close(pair.a);
    unsigned sum = 0;
    static unsigned char got[10000];
    long all = 0;
    for (long part; (part = read(pair.b, got, sizeof got)) > 0; all += part)
      for (long i = 0; i < part; ++i) sum = sum * 31 + got[i];
    return all == total && sum != 0 ? 0 : 1;
  });
  close(pair.b);
  for (size_t i = 0; i < sizeof block; ++i) block[i] = (char)(i * 7);
  for (int i = 0; i < 40; ++i) CHECK_EQ(write(pair.a, block, sizeof block), (long)sizeof block);
  close(pair.a);
  CHECK(ends_well(child));
}

TEST(what_goes_in_comes_out) {
  Pair pair(SOCK_STREAM | SOCK_NONBLOCK);
  static unsigned char out[70000], in[70000];
  unsigned sent = 0, got = 0;
  for (unsigned turn = 1; turn < 300; ++turn) {
    const unsigned wanted = turn * 7919 % sizeof out;
    for (unsigned i = 0; i < wanted; ++i) out[i] = (unsigned char)((sent + i) * 131 >> 3);
    const long put = write(pair.a, out, wanted);
    if (put > 0) sent += (unsigned)put;
    const long taken = read(pair.b, in, turn * 6007 % sizeof in);
    for (long i = 0; i < taken; ++i)
      REQUIRE(in[i] == (unsigned char)((got + (unsigned)i) * 131 >> 3));
    if (taken > 0) got += (unsigned)taken;
  }
  CHECK(got > 1'000'000);
}

TEST(waitall) {
  Pair pair;
  char buffer[8];
  say_to(pair.a, "ab");
  pid_t child = check::start_child([&] { return usleep(20000), say_to(pair.a, "cdef") != 4; });
  CHECK_EQ(recv(pair.b, buffer, 6, MSG_WAITALL), 6);
  CHECK(memcmp(buffer, "abcdef", 6) == 0);
  CHECK(ends_well(child));
  say_to(pair.a, "gh");
  close(pair.a);
  CHECK_EQ(recv(pair.b, buffer, 6, MSG_WAITALL), 2);
}

TEST(epoll_hears_of_the_end) {
  Pair pair;
  int watch = epoll_create1(0);
  epoll_event wanted = {EPOLLIN | EPOLLRDHUP | EPOLLET, {}}, got = {};
  CHECK_EQ(epoll_ctl(watch, EPOLL_CTL_ADD, pair.b, &wanted), 0);
  CHECK_EQ(epoll_wait(watch, &got, 1, 0), 0);
  pid_t child = check::start_child([&] { return usleep(20000), say_to(pair.a, "x") != 1; });
  CHECK_EQ(epoll_wait(watch, &got, 1, 5000), 1);
  CHECK_EQ(got.events, EPOLLIN);
  CHECK(ends_well(child));
  shutdown(pair.a, SHUT_WR);
  CHECK_EQ(epoll_wait(watch, &got, 1, 5000), 1);
  CHECK_EQ(got.events, EPOLLIN | EPOLLRDHUP);
  close(pair.a);
  CHECK_EQ(epoll_wait(watch, &got, 1, 5000), 1);
  CHECK_EQ(got.events, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
}

TEST(a_reader_is_woken_by_the_end) {
  for (int way = 0; way < 3; ++way) {
    Pair pair;
    pid_t child = check::start_child([&] {
      close(pair.a);
      char byte;
      return recv(pair.b, &byte, 1, 0) != 0;
    });
    usleep(10000);
    if (way == 0) shutdown(pair.a, SHUT_WR);
    if (way == 1) shutdown(pair.b, SHUT_RD);
    close(pair.b);
    if (way == 2) close(pair.a);
    CHECK(ends_well(child));
  }
}

TEST(a_writer_is_woken_by_the_end) {
  Pair pair;
  static char much[1 << 20];
  signal(SIGPIPE, SIG_IGN);
  pid_t child = check::start_child([&] {
    close(pair.b);
    const long first = send(pair.a, much, sizeof much, 0);
    return first > 0 && first < (long)sizeof much && send(pair.a, much, 1, 0) == -1 &&
                   errno == EPIPE
               ? 0
               : 1;
  });
  usleep(20000);
  close(pair.a);
  close(pair.b);
  CHECK(ends_well(child));
}

TEST(bad_pointers) {
  Pair pair;
  CHECK_ERRNO(send(pair.a, (void*)8, 4, 0), EFAULT);
  CHECK_ERRNO(recv(pair.b, (void*)8, 0x7fffffffffff, MSG_DONTWAIT), EAGAIN);
  say_to(pair.a, "kept");
  CHECK_ERRNO(recv(pair.b, (void*)8, 4, 0), EFAULT);
  CHECK(hears(pair.b, "kept"));
  CHECK_ERRNO(sendmsg(pair.a, (msghdr*)8, 0), EFAULT);
  CHECK_ERRNO(recvmsg(pair.a, (msghdr*)8, 0), EFAULT);
  Message message("x", nullptr, 0);
  message.header.msg_iov = (iovec*)8;
  CHECK_ERRNO(sendmsg(pair.a, &message.header, 0), EFAULT);
  message.header.msg_iov = &message.part;
  message.header.msg_iovlen = 1025;
  CHECK_ERRNO(sendmsg(pair.a, &message.header, 0), EMSGSIZE);
  socklen_t bytes = 100;
  CHECK_ERRNO(getsockname(pair.a, (sockaddr*)8, &bytes), EFAULT);
  CHECK_ERRNO(getsockname(pair.a, (sockaddr*)&message, (socklen_t*)8), EFAULT);
  int value;
  CHECK_ERRNO(getsockopt(pair.a, SOL_SOCKET, SO_TYPE, &value, (socklen_t*)8), EFAULT);
  CHECK_ERRNO(getsockopt(pair.a, SOL_SOCKET, SO_TYPE, (void*)8, &bytes), EFAULT);
  CHECK_ERRNO(setsockopt(pair.a, SOL_SOCKET, SO_SNDBUF, (void*)8, 4), EFAULT);
  CHECK_ERRNO(setsockopt(pair.a, SOL_SOCKET, SO_SNDBUF, &value, 3), EINVAL);
}

TEST(sendfile_into_a_socket) {
  Pair pair;
  char path[] = "/tmp/sendfile-XXXXXX";
  int file = mkstemp(path);
  unlink(path);
  CHECK_EQ(write(file, "contents", 8), 8);
  off_t at = 3;
  CHECK_EQ(sendfile(pair.a, file, &at, 100), 5);
  CHECK(hears(pair.b, "tents"));
}

TEST(options_of_local_sockets) {
  Pair pair;
  CHECK_EQ(option(pair.a, SO_TYPE), SOCK_STREAM);
  CHECK_EQ(option(pair.a, SO_DOMAIN), AF_UNIX);
  CHECK_EQ(option(pair.a, SO_PROTOCOL), 0);
  CHECK_EQ(option(pair.a, SO_ACCEPTCONN), 0);
  LocalName name("@typetwo-options");
  CHECK_EQ(option(local_listener(name), SO_ACCEPTCONN), 1);
  ucred peer;
  socklen_t bytes = sizeof peer;
  CHECK_EQ(getsockopt(pair.a, SOL_SOCKET, SO_PEERCRED, &peer, &bytes), 0);
  CHECK(peer.pid == getpid() && peer.uid == geteuid() && peer.gid == getegid());
  CHECK_EQ(getsockopt(socket(AF_UNIX, SOCK_STREAM, 0), SOL_SOCKET, SO_PEERCRED, &peer, &bytes), 0);
  CHECK(peer.pid == 0 && peer.uid == (uid_t)-1);
  CHECK_ERRNO(setsockopt(pair.a, SOL_SOCKET, SO_PEERCRED, &peer, bytes), ENOPROTOOPT);
  CHECK_ERRNO(set_option(pair.a, 1, 1, 6), EOPNOTSUPP);
  CHECK_ERRNO(getsockopt(pair.a, 6, 1, &peer, &bytes), EOPNOTSUPP);
}

TEST(a_signal_when_something_happens) {
  Pair pair;
  catch_signal(SIGIO);
  CHECK_EQ(fcntl(pair.b, F_GETOWN), 0);
  CHECK_EQ(fcntl(pair.b, F_SETOWN, getpid()), 0);
  CHECK_EQ(fcntl(pair.b, F_GETOWN), getpid());
  say_to(pair.a, "x");
  CHECK_EQ(signals, 0);
  int on = 1;
  CHECK_EQ(ioctl(pair.b, FIOASYNC, &on), 0);
  CHECK_EQ(fcntl(pair.b, F_GETFL), O_RDWR | O_ASYNC);
  say_to(pair.a, "y");
  CHECK(signals > 0);
  on = 0;
  CHECK_EQ(ioctl(pair.b, FIOASYNC, &on), 0);
  signals = 0;
  say_to(pair.a, "z");
  CHECK_EQ(signals, 0);
  // The other way to ask for it.
  CHECK_EQ(fcntl(pair.b, F_SETFL, O_ASYNC | O_NONBLOCK), 0);
  CHECK_EQ(fcntl(pair.b, F_GETFL), O_RDWR | O_ASYNC | O_NONBLOCK);
  say_to(pair.a, "a");
  CHECK(signals > 0);
  CHECK_EQ(fcntl(pair.b, F_SETFL, O_NONBLOCK), 0);
  CHECK_EQ(fcntl(pair.b, F_GETFL), O_RDWR | O_NONBLOCK);
  signals = 0;
  say_to(pair.a, "b");
  CHECK_EQ(signals, 0);
}
