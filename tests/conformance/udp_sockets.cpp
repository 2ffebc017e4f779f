// Conformance, UDP over the loopback, and which ports are whose.
#include "inet_sockets.h"

using namespace sockets;

namespace {

int bound(const char* text, int port = 0, int type = SOCK_DGRAM) {
  const Address address(text, port);
  int fd = socket(address.storage.ss_family, type, 0);
  return bind_to(fd, address) == 0 ? fd : -1;
}
long send_to(int fd, const char* text, const Address& to) {
  return sendto(fd, text, strlen(text), 0, to.get(), to.bytes);
}

}  // namespace

TEST(datagrams) {
  for (const char* text : {"127.0.0.1", "::1"}) {
    int server = bound(text), client = socket(name_of(server).storage.ss_family, SOCK_DGRAM, 0);
    CHECK_EQ(send_to(client, "hello", name_of(server)), 5);
    Address from;
    char buffer[16];
    CHECK_EQ(recvfrom(server, buffer, 16, 0, (sockaddr*)&from.storage, &from.bytes), 5);
    CHECK(from.is(text));
    CHECK_EQ(from.port(), name_of(client).port());
    CHECK_EQ(send_to(server, "", from), 0);
    CHECK_EQ(recv(client, buffer, 16, 0), 0);
    CHECK_EQ(send_to(server, "truncated", from), 9);
    CHECK_EQ(recv(client, buffer, 4, MSG_PEEK | MSG_TRUNC), 9);
    Message message;
    message.part.iov_len = 4;
    CHECK_EQ(recvmsg(client, &message.header, 0), 4);
    CHECK_EQ(message.header.msg_flags, MSG_TRUNC);
    CHECK_ERRNO(recv(client, buffer, 4, MSG_DONTWAIT), EAGAIN);
  }
}

TEST(connected_datagrams) {
  int server = bound("127.0.0.1"), other = bound("127.0.0.1");
  int client = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_ERRNO(send(client, "x", 1, 0), EDESTADDRREQ);
  CHECK_ERRNO(shutdown(other, SHUT_RD), ENOTCONN);
  CHECK_EQ(connect_to(client, name_of(server)), 0);
  CHECK(name_of(client).is("127.0.0.1"));
  CHECK_EQ(peer_of(client).port(), name_of(server).port());
  CHECK_EQ(say_to(client, "one"), 3);
  CHECK(hears(server, "one"));
  CHECK_EQ(send_to(other, "not heard", name_of(client)), 9);
  CHECK_EQ(send_to(server, "heard", name_of(client)), 5);
  CHECK(hears(client, "heard"));
  CHECK_EQ(send_to(client, "elsewhere", name_of(other)), 9);
  CHECK(hears(other, "elsewhere"));
  CHECK_EQ(state(other), POLLIN | POLLOUT | POLLRDHUP);  // shut all the same
  close(server);
  CHECK_EQ(say_to(client, "x"), 1);
  usleep(1000);
  CHECK_EQ(state(client), POLLOUT | POLLERR);
  char byte;
  CHECK_ERRNO(recv(client, &byte, 1, MSG_DONTWAIT), ECONNREFUSED);
  CHECK_ERRNO(recv(client, &byte, 1, MSG_DONTWAIT), EAGAIN);
  sockaddr nobody = {AF_UNSPEC, {}};
  CHECK_EQ(connect(client, &nobody, sizeof nobody), 0);
  CHECK_ERRNO(send(client, "x", 1, 0), EDESTADDRREQ);
  CHECK(name_of(client).port() != 0);  // which that chose anew
}

TEST(what_cannot_be_sent) {
  be_alone();
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  static char large[70000];
  Address there("127.0.0.1", 9);
  CHECK_ERRNO(sendto(fd, large, 65508, 0, there.get(), there.bytes), EMSGSIZE);
  CHECK_ERRNO(sendto(fd, large, 70000, 0, there.get(), there.bytes), EMSGSIZE);
  CHECK_EQ(sendto(fd, large, 65507, 0, there.get(), there.bytes), 65507);
  CHECK_ERRNO(send_to(fd, "x", Address("127.0.0.1", 0)), EINVAL);
  CHECK_ERRNO(send_to(fd, "x", Address("8.8.8.8", 53)), ENETUNREACH);
  CHECK_ERRNO(send_to(fd, "x", Address("::1", 53)), EAFNOSUPPORT);
  CHECK_ERRNO(sendto(fd, "x", 1, 0, there.get(), 3), EINVAL);
  CHECK_ERRNO(sendto(fd, (void*)8, 4, 0, there.get(), there.bytes), EFAULT);
  CHECK_ERRNO(sendto(fd, "x", 1, 0, (sockaddr*)8, 16), EFAULT);
  CHECK_ERRNO(connect_to(fd, Address("8.8.8.8", 53)), ENETUNREACH);
}

TEST(too_many_are_lost) {
  int server = bound("127.0.0.1"), client = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_EQ(connect_to(client, name_of(server)), 0);
  for (int i = 0; i < 3000; ++i) CHECK_EQ(say_to(client, "x"), 1);
  int got = 0;
  char byte;
  while (recv(server, &byte, 1, MSG_DONTWAIT) == 1) ++got;
  CHECK(got > 50 && got < 3000);
  CHECK_EQ(say_to(client, "again"), 5);
  CHECK(hears(server, "again"));
}

TEST(ports_that_are_taken) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
    int first = bound("127.0.0.1", 0, type);
    const int port = name_of(first).port();
    CHECK(port >= 32768);
    CHECK_ERRNO(bound("127.0.0.1", port, type), EADDRINUSE);
    CHECK_ERRNO(bound("0.0.0.0", port, type), EADDRINUSE);
    CHECK_ERRNO(bound("::", port, type), EADDRINUSE);
    CHECK(bound("127.0.0.2", port, type) >= 0);
    CHECK(bound("::1", port, type) >= 0);
    close(first);
    first = bound("127.0.0.1", port, type);
    CHECK(first >= 0);
    close(first);
  }
}

TEST(ports_that_are_shared) {
  const Address any("127.0.0.1", 0);
  int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
  set_option(first, SO_REUSEADDR, 1), set_option(second, SO_REUSEADDR, 1);
  CHECK_EQ(bind_to(first, any), 0);
  CHECK_EQ(bind_to(second, name_of(first)), 0);
  CHECK_EQ(listen(first, 1), 0);
  CHECK_ERRNO(listen(second, 1), EADDRINUSE);
  int third = socket(AF_INET, SOCK_STREAM, 0);
  set_option(third, SO_REUSEADDR, 1);
  CHECK_ERRNO(bind_to(third, name_of(first)), EADDRINUSE);
  // All who ask for it may listen at one port.
  int a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_STREAM, 0);
  set_option(a, SO_REUSEPORT, 1), set_option(b, SO_REUSEPORT, 1);
  CHECK_EQ(bind_to(a, any), 0);
  CHECK_EQ(bind_to(b, name_of(a)), 0);
  CHECK_EQ(listen(a, 50), 0);
  CHECK_EQ(listen(b, 50), 0);
  for (int i = 0; i < 40; ++i) CHECK_EQ(connect_to(socket(AF_INET, SOCK_STREAM, 0), name_of(a)), 0);
  CHECK_EQ(state(a), POLLIN);
  CHECK_EQ(state(b), POLLIN);
  // Datagrams, by either option.
  for (int way : {SO_REUSEADDR, SO_REUSEPORT}) {
    int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
    set_option(one, way, 1), set_option(two, way, 1);
    CHECK_EQ(bind_to(one, any), 0);
    CHECK_EQ(bind_to(two, name_of(one)), 0);
  }
}

TEST(the_port_of_a_connection_that_was_closed) {
  int listener = inet_listener();
  const Address address = name_of(listener);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(client, address), 0);
  int server = accept(listener, nullptr, nullptr);
  close(listener);
  CHECK_ERRNO(bound("127.0.0.1", address.port(), SOCK_STREAM), EADDRINUSE);
  close(server);  // the server closes first: TIME_WAIT is its
  close(client);
  usleep(1000);
  CHECK_ERRNO(bound("127.0.0.1", address.port(), SOCK_STREAM), EADDRINUSE);
  int again = socket(AF_INET, SOCK_STREAM, 0);
  set_option(again, SO_REUSEADDR, 1);
  CHECK_ERRNO(bind_to(again, address), EADDRINUSE);  // the one that was did not say so
}

TEST(a_server_begins_again) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  set_option(listener, SO_REUSEADDR, 1);
  CHECK_EQ(bind_to(listener, Address("127.0.0.1", 0)), 0);
  CHECK_EQ(listen(listener, 5), 0);
  const Address address = name_of(listener);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(client, address), 0);
  int server = accept(listener, nullptr, nullptr);
  CHECK_EQ(option(server, SO_REUSEADDR), 1);
  close(server), close(client), close(listener);
  usleep(1000);
  int again = socket(AF_INET, SOCK_STREAM, 0);
  set_option(again, SO_REUSEADDR, 1);
  CHECK_EQ(bind_to(again, address), 0);
  CHECK_EQ(listen(again, 5), 0);
}

TEST(ports_of_root) {
  CHECK_EXITED(check::in_child([] {
                 if (setresuid(1000, 1000, 1000) != 0) return 1;
                 return bound("127.0.0.1", 80) == -1 ? errno : 0;
               }),
               EACCES);
  CHECK(bound("127.0.0.1", 80) >= 0);
}

TEST(a_reader_with_a_time_limit) {
  int fd = bound("127.0.0.1");
  timeval soon = {0, 20000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
  char byte;
  CHECK_ERRNO(recv(fd, &byte, 1, 0), EAGAIN);
  pid_t child = check::start_child([&] {
    usleep(5000);
    return send_to(socket(AF_INET, SOCK_DGRAM, 0), "x", name_of(fd)) != 1;
  });
  soon = {5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
  CHECK_EQ(recv(fd, &byte, 1, 0), 1);
  CHECK(ends_well(child));
}

TEST(both_families) {
  int six = bound("::"), four = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_EQ(send_to(four, "x", Address("127.0.0.1", name_of(six).port())), 1);
  Address from;
  char byte;
  CHECK_EQ(recvfrom(six, &byte, 1, 0, (sockaddr*)&from.storage, &from.bytes), 1);
  CHECK(from.is("::ffff:127.0.0.1"));
  CHECK_EQ(send_to(six, "y", from), 1);
  CHECK(hears(four, "y"));
}

TEST(to_which_address) {
  int four = bound("0.0.0.0"), six = bound("::"), client = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK_EQ(set_option(four, IP_PKTINFO, 1, IPPROTO_IP), 0);
  CHECK_EQ(set_option(six, IPV6_RECVPKTINFO, 1, IPPROTO_IPV6), 0);
  CHECK_EQ(send_to(client, "x", Address("127.0.0.7", name_of(four).port())), 1);
  Message one;
  CHECK_EQ(recvmsg(four, &one.header, 0), 1);
  cmsghdr* first = CMSG_FIRSTHDR(&one.header);
  REQUIRE(first && first->cmsg_level == IPPROTO_IP && first->cmsg_type == IP_PKTINFO);
  auto* info = (in_pktinfo*)CMSG_DATA(first);
  CHECK_EQ(info->ipi_ifindex, 1);
  CHECK_EQ(info->ipi_addr.s_addr, inet_addr("127.0.0.7"));
  CHECK_EQ(info->ipi_spec_dst.s_addr, inet_addr("127.0.0.7"));
  CHECK_EQ(send_to(socket(AF_INET6, SOCK_DGRAM, 0), "x", Address("::1", name_of(six).port())), 1);
  Message other;
  CHECK_EQ(recvmsg(six, &other.header, 0), 1);
  first = CMSG_FIRSTHDR(&other.header);
  REQUIRE(first && first->cmsg_level == IPPROTO_IPV6 && first->cmsg_type == IPV6_PKTINFO);
  CHECK(IN6_IS_ADDR_LOOPBACK(&((in6_pktinfo*)CMSG_DATA(first))->ipi6_addr));
}
