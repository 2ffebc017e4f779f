// Conformance, TCP over the loopback: connecting, and who is told what when one end goes.
#include <sys/epoll.h>

#include "inet_sockets.h"

using namespace sockets;

namespace {

volatile sig_atomic_t signals = 0;
void count(int) {
  ++signals;
}

}  // namespace

TEST(a_connection_carries_bytes_both_ways) {
  for (const char* text : {"127.0.0.1", "127.1.2.3", "::1"}) {
    Connection both(text);
    REQUIRE(both.server >= 0);
    CHECK_EQ(state(both.client), POLLOUT);
    CHECK_EQ(say_to(both.client, "hello"), 5);
    CHECK_EQ(state(both.server), POLLIN | POLLOUT);
    int waiting = 0;
    CHECK_EQ(ioctl(both.server, FIONREAD, &waiting), 0);
    CHECK_EQ(waiting, 5);
    CHECK(hears(both.server, "hello", MSG_PEEK));
    CHECK(hears(both.server, "hello"));
    CHECK_EQ(say_to(both.server, "back"), 4);
    CHECK(hears(both.client, "back"));
    char byte;
    CHECK_ERRNO(recv(both.client, &byte, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_ERRNO(recv(both.client, &byte, 1, MSG_OOB), EINVAL);
    CHECK(name_of(both.server).is(text));
    CHECK(peer_of(both.client).is(text));
    CHECK_EQ(peer_of(both.client).port(), name_of(both.listener).port());
    CHECK_EQ(peer_of(both.server).port(), name_of(both.client).port());
    CHECK(name_of(both.client).port() >= 32768);
  }
}

TEST(whose_address_it_is) {
  Connection both("127.1.2.3");
  CHECK(name_of(both.client).is("127.0.0.1"));
  int listener = inet_listener("0.0.0.0");
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(name_of(client).is("0.0.0.0") && name_of(client).port() == 0);
  CHECK_EQ(connect_to(client, Address("0.0.0.0", name_of(listener).port())), 0);
  CHECK(peer_of(client).is("127.0.0.1"));
  Address from;
  int server = accept(listener, (sockaddr*)&from.storage, &from.bytes);
  CHECK(server >= 0);
  CHECK_EQ(from.bytes, sizeof(sockaddr_in));
  CHECK(from.is("127.0.0.1"));
  CHECK_EQ(from.port(), name_of(client).port());
  int bound = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(bind_to(bound, Address("127.0.0.9", 0)), 0);
  CHECK_EQ(connect_to(bound, name_of(listener)), 0);
  CHECK(name_of(bound).is("127.0.0.9"));
}

TEST(both_families_at_one_listener) {
  int listener = inet_listener("::");
  REQUIRE(listener >= 0);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(client, Address("127.0.0.1", name_of(listener).port())), 0);
  int server = accept(listener, nullptr, nullptr);
  CHECK(peer_of(server).is("::ffff:127.0.0.1"));
  CHECK(name_of(server).is("::ffff:127.0.0.1"));
  int other = socket(AF_INET6, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(other, Address("::ffff:127.0.0.1", name_of(listener).port())), 0);
  CHECK(peer_of(other).is("::ffff:127.0.0.1"));
  CHECK(name_of(other).is("::ffff:127.0.0.1"));
  int only = socket(AF_INET6, SOCK_STREAM, 0);
  CHECK_EQ(set_option(only, IPV6_V6ONLY, 1, IPPROTO_IPV6), 0);
  CHECK_EQ(option(only, IPV6_V6ONLY, IPPROTO_IPV6), 1);
  CHECK_EQ(bind_to(only, Address("::", 0)), 0);
  CHECK_ERRNO(set_option(only, IPV6_V6ONLY, 0, IPPROTO_IPV6), EINVAL);
  CHECK_EQ(listen(only, 1), 0);
  const int port = name_of(only).port();
  CHECK_ERRNO(connect_to(socket(AF_INET, SOCK_STREAM, 0), Address("127.0.0.1", port)),
              ECONNREFUSED);
  CHECK_EQ(connect_to(socket(AF_INET6, SOCK_STREAM, 0), Address("::1", port)), 0);
  CHECK(inet_listener("0.0.0.0", port) >= 0);  // beside it
  int mapped = socket(AF_INET6, SOCK_STREAM, 0);
  set_option(mapped, IPV6_V6ONLY, 1, IPPROTO_IPV6);
  CHECK_ERRNO(bind_to(mapped, Address("::ffff:127.0.0.1", 0)), EINVAL);
}

TEST(nobody_listens) {
  be_alone();
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_ERRNO(connect_to(fd, Address("127.0.0.1", 1)), ECONNREFUSED);
  CHECK_ERRNO(connect_to(fd, Address("127.0.0.1", 1)), ECONNREFUSED);
  int listener = inet_listener();
  CHECK_EQ(connect_to(fd, name_of(listener)), 0);  // it can be used again
  int six = socket(AF_INET6, SOCK_STREAM, 0);
  CHECK_ERRNO(connect_to(six, Address("::1", name_of(listener).port())), ECONNREFUSED);
  CHECK_ERRNO(connect_to(socket(AF_INET, SOCK_STREAM, 0), Address("10.1.2.3", 80)), ENETUNREACH);
  CHECK_ERRNO(connect_to(six, Address("2001:db8::1", 80)), ENETUNREACH);
}

TEST(fresh_sockets) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(state(fd), POLLOUT | POLLHUP);
  char byte;
  signal(SIGPIPE, SIG_IGN);
  CHECK_ERRNO(recv(fd, &byte, 1, 0), ENOTCONN);
  CHECK_ERRNO(send(fd, "x", 1, 0), EPIPE);
  CHECK_ERRNO(shutdown(fd, SHUT_RD), ENOTCONN);
  CHECK_ERRNO(accept(fd, nullptr, nullptr), EINVAL);
  Address peer;
  CHECK_ERRNO(getpeername(fd, (sockaddr*)&peer.storage, &peer.bytes), ENOTCONN);
  CHECK_EQ(listen(fd, 1), 0);  // at a port of the machine's choice
  CHECK(name_of(fd).port() >= 32768);
  CHECK_ERRNO(connect_to(fd, name_of(fd)), EISCONN);
  CHECK_ERRNO(recv(fd, &byte, 1, 0), ENOTCONN);
  int value;
  CHECK_ERRNO(ioctl(fd, FIONREAD, &value), EINVAL);
  int two[2];
  CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, two), EOPNOTSUPP);
  CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
  CHECK_ERRNO(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
  CHECK(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) >= 0);
}

TEST(addresses_that_cannot_be) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), six = socket(AF_INET6, SOCK_STREAM, 0);
  Address good("127.0.0.1", 0);
  CHECK_ERRNO(bind(fd, good.get(), 15), EINVAL);
  CHECK_ERRNO(bind(six, Address("::1", 0).get(), 23), EINVAL);
  CHECK_ERRNO(bind_to(fd, Address("::1", 0)), EAFNOSUPPORT);
  CHECK_ERRNO(bind(six, good.get(), 28), EAFNOSUPPORT);
  CHECK_ERRNO(bind_to(fd, Address("10.1.2.3", 0)), EADDRNOTAVAIL);
  CHECK_ERRNO(bind_to(six, Address("2001:db8::1", 0)), EADDRNOTAVAIL);
  CHECK_ERRNO(connect(fd, good.get(), 15), EINVAL);
  CHECK_ERRNO(connect(fd, good.get(), 1), EINVAL);
  CHECK_ERRNO(connect_to(fd, Address("::1", 1)), EAFNOSUPPORT);
  CHECK_ERRNO(bind(fd, (sockaddr*)8, 16), EFAULT);
  CHECK_EQ(bind_to(fd, good), 0);
  CHECK_ERRNO(bind_to(fd, good), EINVAL);
  Address none("0.0.0.0", 0);
  ((sockaddr_in*)&none.storage)->sin_family = AF_UNSPEC;
  CHECK_EQ(bind_to(socket(AF_INET, SOCK_STREAM, 0), none), 0);
}

TEST(connecting_without_waiting) {
  int listener = inet_listener();
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK_ERRNO(connect_to(fd, name_of(listener)), EINPROGRESS);
  pollfd one = {fd, POLLOUT, 0};
  CHECK_EQ(poll(&one, 1, 5000), 1);
  CHECK_EQ(one.revents, POLLOUT);
  CHECK_EQ(error_of(fd), 0);
  CHECK_EQ(connect_to(fd, name_of(listener)), 0);
  CHECK_ERRNO(connect_to(fd, name_of(listener)), EISCONN);
  int refused = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK_ERRNO(connect_to(refused, Address("127.0.0.1", 1)), EINPROGRESS);
  one.fd = refused;
  CHECK_EQ(poll(&one, 1, 5000), 1);
  CHECK_EQ(state(refused), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
  CHECK_EQ(error_of(refused), ECONNREFUSED);
  CHECK_EQ(error_of(refused), 0);
}

TEST(a_full_backlog) {
  int listener = inet_listener("127.0.0.1", 0, 0);
  int first = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(first, name_of(listener)), 0);
  int second = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK_ERRNO(connect_to(second, name_of(listener)), EINPROGRESS);
  pollfd one = {second, POLLOUT, 0};
  CHECK_EQ(poll(&one, 1, 50), 0);
  CHECK_ERRNO(connect_to(second, name_of(listener)), EALREADY);
  char byte;
  CHECK_ERRNO(send(second, "x", 1, 0), EAGAIN);
  CHECK_ERRNO(recv(second, &byte, 1, 0), EAGAIN);
  CHECK(accept(listener, nullptr, nullptr) >= 0);
  CHECK_EQ(poll(&one, 1, 5000), 1);
  CHECK_EQ(one.revents, POLLOUT);
  int server = accept(listener, nullptr, nullptr);
  say_to(second, "through");
  CHECK(hears(server, "through"));
}

TEST(end_of_a_stream) {
  Connection both;
  say_to(both.client, "last");
  close(both.client);
  CHECK_EQ(state(both.server), POLLIN | POLLOUT | POLLRDHUP);
  CHECK(hears(both.server, "last"));
  CHECK(hears(both.server, ""));
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(say_to(both.server, "into nothing"), 12);
  usleep(1000);
  CHECK_EQ(state(both.server), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
  CHECK(hears(both.server, ""));
  CHECK_ERRNO(say_to(both.server, "x"), EPIPE);
  CHECK_EQ(error_of(both.server), 0);
  CHECK_ERRNO(say_to(both.server, "x"), EPIPE);
  CHECK_KILLED(check::in_child([&] {
                 signal(SIGPIPE, SIG_DFL);
                 return (int)write(both.server, "x", 1);
               }),
               SIGPIPE);
}

TEST(unread_bytes_reset) {
  Connection both;
  say_to(both.server, "unread");
  say_to(both.client, "sent");
  close(both.client);
  CHECK_EQ(state(both.server), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
  CHECK(hears(both.server, "sent"));
  char byte;
  CHECK_ERRNO(recv(both.server, &byte, 1, 0), ECONNRESET);
  CHECK_EQ(recv(both.server, &byte, 1, 0), 0);
  Connection other;
  signal(SIGPIPE, SIG_IGN);
  say_to(other.server, "unread");
  close(other.client);
  CHECK_ERRNO(say_to(other.server, "x"), ECONNRESET);
  CHECK_ERRNO(say_to(other.server, "x"), EPIPE);
}

TEST(a_reset_in_a_send_is_told_by_the_next) {
  Connection both;
  signal(SIGPIPE, SIG_IGN);
  const pid_t sender = check::start_child([&] {
    static char much[8 << 20];
    close(both.client);
    const ssize_t sent = send(both.server, much, sizeof much, 0);
    if (sent <= 0 || sent >= (ssize_t)sizeof much) return 1;
    if (say_to(both.server, "x") != -1 || errno != ECONNRESET) return 2;
    return say_to(both.server, "x") == -1 && errno == EPIPE ? 0 : 3;
  });
  while (state(both.server) & POLLOUT) usleep(1000);
  usleep(20000);  // and now it waits for room
  close(both.client);
  int status = -1;
  CHECK(waitpid(sender, &status, 0) == sender && status == 0);
}

TEST(linger_of_zero_resets) {
  Connection both;
  linger now = {1, 0};
  CHECK_EQ(setsockopt(both.client, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
  close(both.client);
  char byte;
  CHECK_ERRNO(recv(both.server, &byte, 1, 0), ECONNRESET);
}

TEST(shutdown_of_one_direction) {
  Connection both;
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(shutdown(both.client, SHUT_WR), 0);
  CHECK_EQ(state(both.server), POLLIN | POLLOUT | POLLRDHUP);
  CHECK_EQ(state(both.client), POLLOUT);
  CHECK_ERRNO(say_to(both.client, "x"), EPIPE);
  CHECK(hears(both.server, ""));
  CHECK_EQ(say_to(both.server, "still"), 5);
  CHECK(hears(both.client, "still"));
  CHECK_EQ(shutdown(both.server, SHUT_WR), 0);
  CHECK(hears(both.client, ""));
  usleep(1000);
  CHECK_EQ(state(both.client), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
  Connection other;
  CHECK_EQ(shutdown(other.client, SHUT_RD), 0);
  CHECK_EQ(state(other.client), POLLIN | POLLOUT | POLLRDHUP);
  CHECK(hears(other.client, ""));
  CHECK_EQ(state(other.server), POLLOUT);  // the other hears nothing of it
  CHECK_EQ(say_to(other.server, "anyway"), 6);
  CHECK(hears(other.client, "anyway"));
}

TEST(those_not_accepted_are_reset) {
  int listener = inet_listener(), client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(client, name_of(listener)), 0);
  CHECK_EQ(say_to(client, "early"), 5);
  close(listener);
  char byte;
  CHECK_ERRNO(recv(client, &byte, 1, 0), ECONNRESET);
}

TEST(a_closed_client_is_accepted) {
  int listener = inet_listener(), client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(client, name_of(listener)), 0);
  const int port = name_of(client).port();
  say_to(client, "bye");
  close(client);
  Address from;
  int server = accept4(listener, (sockaddr*)&from.storage, &from.bytes, SOCK_NONBLOCK);
  CHECK(server >= 0);
  CHECK_EQ(from.port(), port);
  CHECK(hears(server, "bye"));
  CHECK(hears(server, ""));
}

TEST(disconnecting) {
  Connection both;
  sockaddr nobody = {AF_UNSPEC, {}};
  CHECK_EQ(connect(both.client, &nobody, sizeof nobody), 0);
  char byte;
  CHECK_ERRNO(recv(both.client, &byte, 1, 0), ECONNRESET);
  CHECK_ERRNO(recv(both.client, &byte, 1, 0), ENOTCONN);
  CHECK_ERRNO(recv(both.server, &byte, 1, 0), ECONNRESET);
  CHECK_EQ(connect_to(both.client, name_of(both.listener)), 0);
}

TEST(disconnected_while_others_wait) {
  static char much[8 << 20];
  signal(SIGPIPE, SIG_IGN);
  sockaddr nobody = {AF_UNSPEC, {}};
  for (bool sends : {false, true}) {
    Connection both;
    pid_t child = check::start_child([&] {
      if (!sends) return recv(both.client, much, 1, 0) > 0;
      return send(both.client, much, sizeof much, 0) == (long)sizeof much;
    });
    usleep(20000);
    CHECK_EQ(connect(both.client, &nobody, sizeof nobody), 0);
    CHECK(ends_well(child));
  }
}

TEST(accept_is_interrupted_and_ended) {
  int listener = inet_listener();
  struct sigaction action = {};
  action.sa_handler = count;
  sigaction(SIGUSR1, &action, nullptr);
  const pid_t self = getpid();
  pid_t child = check::start_child([&] { return usleep(20000), kill(self, SIGUSR1); });
  CHECK_ERRNO(accept(listener, nullptr, nullptr), EINTR);
  CHECK(ends_well(child));
  CHECK_EQ(signals, 1);
  child = check::start_child([&] { return usleep(20000), shutdown(listener, SHUT_RDWR); });
  CHECK_ERRNO(accept(listener, nullptr, nullptr), EINVAL);
  CHECK(ends_well(child));
}

TEST(a_reader_is_woken_by_the_end) {
  for (int way = 0; way < 3; ++way) {
    Connection both;
    pid_t child = check::start_child([&] {
      close(both.client), close(both.listener);
      char byte;
      return recv(both.server, &byte, 1, 0) != 0;
    });
    usleep(10000);
    if (way == 0) shutdown(both.client, SHUT_WR);
    if (way == 1) shutdown(both.server, SHUT_RD);
    if (way == 2) close(both.client);
    CHECK(ends_well(child));
  }
}

TEST(much_goes_through) {
  Connection both("::1");
  constexpr long total = 5'000'000;
  pid_t child = check::start_child([&] {
    close(both.client);
    static unsigned char got[30000];
    long all = 0;
    for (long part; (part = read(both.server, got, sizeof got)) > 0; all += part)
      for (long i = 0; i < part; ++i)
        if (got[i] != (unsigned char)((all + i) * 31 >> 4)) return 2;
    return all == total ? 0 : 1;
  });
  close(both.server);
  static unsigned char block[50000];
  for (long sent = 0; sent < total; sent += sizeof block) {
    for (size_t i = 0; i < sizeof block; ++i)
      block[i] = (unsigned char)((sent + (long)i) * 31 >> 4);
    REQUIRE(send(both.client, block, sizeof block, 0) == (long)sizeof block);
  }
  close(both.client);
  both.client = -1;
  CHECK(ends_well(child));
}

TEST(edges_of_epoll) {
  Connection both;
  int watch = epoll_create1(0);
  epoll_event wanted = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {}}, got = {};
  CHECK_EQ(epoll_ctl(watch, EPOLL_CTL_ADD, both.server, &wanted), 0);
  CHECK_EQ(epoll_wait(watch, &got, 1, 0), 1);
  CHECK_EQ(got.events, EPOLLOUT);
  CHECK_EQ(epoll_wait(watch, &got, 1, 0), 0);
  say_to(both.client, "x");
  CHECK_EQ(epoll_wait(watch, &got, 1, 5000), 1);
  CHECK_EQ(got.events, EPOLLIN | EPOLLOUT);
  int listening = epoll_create1(0);
  wanted.events = EPOLLIN;
  CHECK_EQ(epoll_ctl(listening, EPOLL_CTL_ADD, both.listener, &wanted), 0);
  CHECK_EQ(epoll_wait(listening, &got, 1, 0), 0);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(client, name_of(both.listener)), 0);
  CHECK_EQ(epoll_wait(listening, &got, 1, 5000), 1);
  close(client);
}
