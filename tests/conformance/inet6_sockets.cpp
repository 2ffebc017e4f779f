// Conformance, IPv6: addresses in their forms, IPv4 in IPv6's clothes, and what one family may not
// do with the other's.
#include "inet_sockets.h"

using namespace sockets;

namespace {

int bound6(const char* text, int type, bool only, int port = 0) {
  int fd = socket(AF_INET6, type, 0);
  if (only) set_option(fd, IPV6_V6ONLY, 1, IPPROTO_IPV6);
  return bind_to(fd, Address(text, port)) == 0 ? fd : -1;
}
const sockaddr_in6& six(const Address& address) {
  return (const sockaddr_in6&)address.storage;
}

}  // namespace

TEST(an_address_of_ones_own) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
    int fd = socket(AF_INET6, type, 0);
    const Address fresh = name_of(fd);
    CHECK_EQ(fresh.bytes, sizeof(sockaddr_in6));
    CHECK(fresh.is("::") && fresh.port() == 0);
    Address here("::1", 0);
    ((sockaddr_in6&)here.storage).sin6_flowinfo = htonl(7);
    CHECK_EQ(bind_to(fd, here), 0);
    const Address seen = name_of(fd);
    CHECK(seen.is("::1") && seen.port() >= 32768);
    CHECK_EQ(six(seen).sin6_flowinfo, 0);
    CHECK_EQ(six(seen).sin6_scope_id, 0);
    CHECK_ERRNO(bind_to(fd, Address("::1", 0)), EINVAL);
    // Too little room: cut, and how long it is.
    struct {
      sockaddr_in6 address;
      char behind;
    } cut;
    memset(&cut, 0x55, sizeof cut);
    socklen_t bytes = 20;
    CHECK_EQ(getsockname(fd, (sockaddr*)&cut, &bytes), 0);
    CHECK_EQ(bytes, sizeof(sockaddr_in6));
    CHECK_EQ(cut.address.sin6_scope_id, 0x55555555);
    CHECK_EQ(cut.address.sin6_addr.s6_addr[15], 0x55);
    close(fd);
  }
}

TEST(lengths_and_families) {
  be_alone();
  for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
    const Address four("127.0.0.1", 9), loop("::1", 0);
    for (socklen_t bytes : {0u, 2u, 16u, 23u}) {
      int fd = socket(AF_INET6, type, 0);
      CHECK_ERRNO(bind(fd, loop.get(), bytes), EINVAL);
      if (bytes) CHECK_ERRNO(connect(fd, loop.get(), bytes), EINVAL);
      close(fd);
    }
    int fd = socket(AF_INET6, type, 0);
    CHECK_EQ(bind(fd, loop.get(), 24), 0);  // without a scope, as of old
    CHECK_ERRNO(bind(socket(AF_INET6, type, 0), four.get(), 16), EINVAL);
    CHECK_ERRNO(bind(socket(AF_INET6, type, 0), four.get(), 28), EAFNOSUPPORT);
    CHECK_ERRNO(connect(socket(AF_INET, type, 0), loop.get(), 28), EAFNOSUPPORT);
    CHECK_ERRNO(bind(socket(AF_INET, type, 0), loop.get(), 28), EAFNOSUPPORT);
    CHECK_ERRNO(bind(fd, (sockaddr*)8, 28), EFAULT);
    CHECK_ERRNO(connect(fd, (sockaddr*)8, 28), EFAULT);
    CHECK_ERRNO(bind(fd, loop.get(), 129), EINVAL);
    close(fd);
  }
}

TEST(addresses_that_are_not_here) {
  be_alone();
  for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
    int fd = socket(AF_INET6, type, 0);
    CHECK_ERRNO(bind_to(fd, Address("2001:db8::1", 0)), EADDRNOTAVAIL);
    CHECK_ERRNO(bind_to(fd, Address("::ffff:192.0.2.1", 0)), EADDRNOTAVAIL);
    CHECK_ERRNO(bind_to(fd, Address("fe80::1", 0)), EINVAL);  // on which link?
    CHECK_ERRNO(connect_to(fd, Address("2001:db8::1", 9)), ENETUNREACH);
    CHECK_ERRNO(connect_to(fd, Address("::ffff:192.0.2.1", 9)), ENETUNREACH);
    CHECK_ERRNO(connect_to(fd, Address("fe80::1", 9)), EINVAL);
    if (type == SOCK_STREAM) CHECK_ERRNO(connect_to(fd, Address("ff02::1", 9)), ENETUNREACH);
    close(fd);
  }
}

TEST(a_stream_between_two) {
  for (const char* to : {"::1", "::"}) {
    int listener = inet_listener("::", 0), client = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(connect_to(client, Address(to, name_of(listener).port())), 0);
    Address from;
    int server = accept(listener, (sockaddr*)&from.storage, &from.bytes);
    REQUIRE(server >= 0);
    CHECK_EQ(from.bytes, sizeof(sockaddr_in6));
    CHECK(from.is("::1") && from.port() == name_of(client).port());
    CHECK(name_of(server).is("::1") && peer_of(client).is("::1"));
    CHECK_EQ(say_to(client, "hello"), 5);
    CHECK(hears(server, "hello"));
    CHECK_EQ(option(server, SO_DOMAIN), AF_INET6);
    close(server), close(client), close(listener);
  }
}

TEST(ipv4_in_its_clothes) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
    int fd = socket(AF_INET6, type, 0);
    CHECK_EQ(bind_to(fd, Address("::ffff:127.0.0.1", 0)), 0);
    CHECK(name_of(fd).is("::ffff:127.0.0.1"));
    const int port = name_of(fd).port();
    int four = socket(AF_INET, type, 0);
    CHECK_ERRNO(bind_to(four, Address("127.0.0.1", port)), EADDRINUSE);
    CHECK(bound6("::1", type, false, port) >= 0);
    if (type == SOCK_STREAM) CHECK_EQ(listen(fd, 1), 0);
    CHECK_EQ(connect_to(four, Address("127.0.0.1", port)), 0);
    CHECK(peer_of(four).is("127.0.0.1"));
    // To IPv6 addresses there is no way from there.
    CHECK_ERRNO(connect_to(bound6("::ffff:127.0.0.1", type, false), Address("::1", port)),
                EAFNOSUPPORT);
    CHECK_ERRNO(connect_to(bound6("::1", type, false), Address("::ffff:127.0.0.1", port)),
                ENETUNREACH);
    close(fd), close(four);
  }
}

TEST(ipv6_only) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM}) {
    int fd = socket(AF_INET6, type, 0);
    CHECK_EQ(option(fd, IPV6_V6ONLY, IPPROTO_IPV6), 0);
    CHECK_EQ(set_option(fd, IPV6_V6ONLY, 5, IPPROTO_IPV6), 0);
    CHECK_EQ(option(fd, IPV6_V6ONLY, IPPROTO_IPV6), 1);
    CHECK_ERRNO(bind_to(fd, Address("::ffff:127.0.0.1", 0)), EINVAL);
    CHECK_EQ(bind_to(fd, Address("::", 0)), 0);
    CHECK_ERRNO(connect_to(fd, Address("::ffff:127.0.0.1", 9)), ENETUNREACH);
    CHECK_ERRNO(set_option(fd, IPV6_V6ONLY, 0, IPPROTO_IPV6), EINVAL);
    const int port = name_of(fd).port();
    int four = socket(AF_INET, type, 0);
    CHECK_EQ(bind_to(four, Address("0.0.0.0", port)), 0);
    CHECK_ERRNO(bound6("::", type, false, port), EADDRINUSE);
    if (type == SOCK_STREAM) {
      CHECK_EQ(listen(fd, 1), 0);
      CHECK_ERRNO(connect_to(socket(AF_INET, type, 0), Address("127.0.0.1", port)), ECONNREFUSED);
      CHECK_EQ(connect_to(socket(AF_INET6, type, 0), Address("::1", port)), 0);
    }
    CHECK_ERRNO(set_option(four, IPV6_V6ONLY, 1, IPPROTO_IPV6), ENOPROTOOPT);
    close(fd), close(four);
  }
}

TEST(datagrams_of_either_family) {
  int server = bound6("::", SOCK_DGRAM, false), client = socket(AF_INET6, SOCK_DGRAM, 0);
  const int port = name_of(server).port();
  struct {
    const char *to, *from;
  } ways[] = {{"::1", "::1"}, {"::ffff:127.0.0.1", "::ffff:127.0.0.1"}, {"::", "::1"}};
  for (const auto& way : ways) {
    const Address to(way.to, port);
    CHECK_EQ(sendto(client, "x", 1, 0, to.get(), to.bytes), 1);
    Address from;
    char byte;
    CHECK_EQ(recvfrom(server, &byte, 1, 0, (sockaddr*)&from.storage, &from.bytes), 1);
    CHECK(from.is(way.from) && from.port() == name_of(client).port());
  }
  CHECK_EQ(connect_to(client, Address("::ffff:127.0.0.1", port)), 0);
  CHECK(name_of(client).is("::ffff:127.0.0.1") && peer_of(client).is("::ffff:127.0.0.1"));
  CHECK_EQ(say_to(client, "y"), 1);
  CHECK(hears(server, "y"));
}

TEST(whom_a_connected_one_hears) {
  int server = bound6("::", SOCK_DGRAM, false), other = socket(AF_INET, SOCK_DGRAM, 0);
  int client = bound6("::1", SOCK_DGRAM, false);
  CHECK_EQ(connect_to(server, name_of(client)), 0);
  const Address there("127.0.0.1", name_of(server).port());
  CHECK_EQ(sendto(other, "other", 5, 0, there.get(), there.bytes), 5);
  const Address home = name_of(server);
  CHECK_EQ(sendto(client, "client", 6, 0, home.get(), home.bytes), 6);
  CHECK(hears(server, "client", MSG_DONTWAIT));
  char byte;
  CHECK_ERRNO(recv(server, &byte, 1, MSG_DONTWAIT), EAGAIN);
}
