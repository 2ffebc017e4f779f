// Conformance, options: what is there, what can be set, and what is read back.
#include "inet_sockets.h"

using namespace sockets;

namespace {

struct Kind {
  int family, type;
};
constexpr Kind kinds[] = {{AF_UNIX, SOCK_STREAM}, {AF_UNIX, SOCK_DGRAM},   {AF_INET, SOCK_STREAM},
                          {AF_INET, SOCK_DGRAM},  {AF_INET6, SOCK_STREAM}, {AF_INET6, SOCK_DGRAM}};

}  // namespace

TEST(what_all_sockets_have) {
  for (const Kind& kind : kinds) {
    int fd = socket(kind.family, kind.type, 0);
    CHECK_EQ(option(fd, SO_TYPE), kind.type);
    CHECK_EQ(option(fd, SO_DOMAIN), kind.family);
    CHECK_EQ(option(fd, SO_ERROR), 0);
    CHECK_EQ(option(fd, SO_RCVLOWAT), 1);
    for (int name : {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_OOBINLINE, SO_DONTROUTE}) {
      CHECK_EQ(option(fd, name), 0);
      CHECK_EQ(set_option(fd, name, 5), 0);
      CHECK_EQ(option(fd, name), 1);
      CHECK_EQ(set_option(fd, name, 0), 0);
    }
    CHECK_EQ(set_option(fd, SO_PRIORITY, 3), 0);
    CHECK_EQ(option(fd, SO_PRIORITY), 3);
    CHECK_ERRNO(set_option(fd, 9999, 1), ENOPROTOOPT);
    int value;
    socklen_t bytes = sizeof value;
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 9999, &value, &bytes), ENOPROTOOPT);
    for (int name : {SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN})
      CHECK_ERRNO(set_option(fd, name, 1), ENOPROTOOPT);
    linger wait = {7, 3}, seen = {};
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, sizeof wait), 0);
    bytes = sizeof seen;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_LINGER, &seen, &bytes), 0);
    CHECK(seen.l_onoff == 1 && seen.l_linger == 3);
    CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_LINGER, &wait, 4), EINVAL);
    close(fd);
  }
}

TEST(protocols) {
  CHECK_EQ(option(socket(AF_INET, SOCK_STREAM, 0), SO_PROTOCOL), IPPROTO_TCP);
  CHECK_EQ(option(socket(AF_INET6, SOCK_DGRAM, 0), SO_PROTOCOL), IPPROTO_UDP);
  CHECK_EQ(option(socket(AF_UNIX, SOCK_DGRAM, 0), SO_PROTOCOL), 0);
}

TEST(buffers) {
  for (const Kind& kind : kinds) {
    int fd = socket(kind.family, kind.type, 0);
    CHECK_EQ(set_option(fd, SO_SNDBUF, 20000), 0);
    CHECK_EQ(option(fd, SO_SNDBUF), 40000);
    CHECK_EQ(set_option(fd, SO_RCVBUF, 30000), 0);
    CHECK_EQ(option(fd, SO_RCVBUF), 60000);
    CHECK_EQ(set_option(fd, SO_SNDBUF, 1), 0);
    CHECK_EQ(option(fd, SO_SNDBUF), 4608);
    CHECK_EQ(set_option(fd, SO_RCVBUF, 0), 0);
    CHECK_EQ(option(fd, SO_RCVBUF), 2304);
    CHECK_EQ(set_option(fd, SO_SNDBUF, -1), 0);
    CHECK(option(fd, SO_SNDBUF) >= 400000);
    close(fd);
  }
}

TEST(a_small_buffer_fills_sooner) {
  Pair small(SOCK_STREAM | SOCK_NONBLOCK), usual(SOCK_STREAM | SOCK_NONBLOCK);
  set_option(small.a, SO_SNDBUF, 4000);
  char block[1000] = {};
  int few = 0, many = 0;
  while (send(small.a, block, sizeof block, 0) > 0) ++few;
  while (send(usual.a, block, sizeof block, 0) > 0) ++many;
  CHECK(few > 0 && few < 20);
  CHECK(many > 60);
}

TEST(lengths) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  unsigned char bytes[8];
  memset(bytes, 0xee, sizeof bytes);
  socklen_t length = 2;
  CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, bytes, &length), 0);
  CHECK(length == 2 && bytes[0] == SOCK_STREAM && bytes[2] == 0xee);
  length = 8;
  CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_TYPE, bytes, &length), 0);
  CHECK(length == 4 && bytes[4] == 0xee);
  length = (socklen_t)-1;
  CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_TYPE, bytes, &length), EINVAL);
  CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, bytes, (socklen_t)-1), EINVAL);
  CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, bytes, 3), EINVAL);
  CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (void*)8, 4), EFAULT);
}

TEST(tcp_options) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct {
    int name, initial, wanted, seen;
  } const known[] = {
      {TCP_NODELAY, 0, 1, 1},      {TCP_CORK, 0, 1, 1},    {TCP_KEEPIDLE, 7200, 60, 60},
      {TCP_KEEPINTVL, 75, 10, 10}, {TCP_KEEPCNT, 9, 3, 3}, {TCP_USER_TIMEOUT, 0, 500, 500},
      {TCP_NODELAY, 1, 7, 1},      {TCP_NODELAY, 1, 0, 0},
  };
  for (const auto& each : known) {
    CHECK_EQ(option(fd, each.name, IPPROTO_TCP), each.initial);
    CHECK_EQ(set_option(fd, each.name, each.wanted, IPPROTO_TCP), 0);
    CHECK_EQ(option(fd, each.name, IPPROTO_TCP), each.seen);
  }
  CHECK_ERRNO(set_option(fd, TCP_KEEPIDLE, 0, IPPROTO_TCP), EINVAL);
  CHECK_ERRNO(set_option(fd, TCP_KEEPIDLE, 40000, IPPROTO_TCP), EINVAL);
  CHECK_ERRNO(set_option(fd, TCP_KEEPCNT, 128, IPPROTO_TCP), EINVAL);
  CHECK_ERRNO(set_option(fd, 999, 1, IPPROTO_TCP), ENOPROTOOPT);
  CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, "x", 1), EINVAL);
  CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "no such", 7), ENOENT);
  CHECK_ERRNO(set_option(socket(AF_INET, SOCK_DGRAM, 0), TCP_NODELAY, 1, IPPROTO_TCP), ENOPROTOOPT);
  Connection both;
  tcp_info info = {};
  socklen_t bytes = sizeof info;
  CHECK_EQ(getsockopt(both.client, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
  CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
  CHECK_EQ(set_option(both.listener, TCP_NODELAY, 1, IPPROTO_TCP), 0);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(client, name_of(both.listener)), 0);
  CHECK_EQ(option(accept(both.listener, nullptr, nullptr), TCP_NODELAY, IPPROTO_TCP), 1);
}

TEST(ip_options) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0);
  CHECK_EQ(option(fd, IP_TTL, IPPROTO_IP), 64);
  CHECK_EQ(set_option(fd, IP_TTL, 10, IPPROTO_IP), 0);
  CHECK_EQ(option(fd, IP_TTL, IPPROTO_IP), 10);
  CHECK_EQ(set_option(fd, IP_TTL, -1, IPPROTO_IP), 0);
  CHECK_EQ(option(fd, IP_TTL, IPPROTO_IP), 64);
  CHECK_ERRNO(set_option(fd, IP_TTL, 256, IPPROTO_IP), EINVAL);
  const unsigned char tos = 0x10;
  CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, 1), 0);
  CHECK_EQ(option(fd, IP_TOS, IPPROTO_IP), 0x10);
  CHECK_EQ(set_option(fd, IP_RECVERR, 1, IPPROTO_IP), 0);
  CHECK_EQ(option(six, IPV6_V6ONLY, IPPROTO_IPV6), 0);
  CHECK_EQ(option(six, IPV6_UNICAST_HOPS, IPPROTO_IPV6), 64);
  CHECK_EQ(set_option(six, IPV6_TCLASS, 8, IPPROTO_IPV6), 0);
  CHECK_EQ(option(six, IPV6_TCLASS, IPPROTO_IPV6), 8);
  CHECK_ERRNO(set_option(fd, IPV6_V6ONLY, 1, IPPROTO_IPV6), ENOPROTOOPT);
  CHECK_ERRNO(set_option(fd, 999, 1, IPPROTO_IP), ENOPROTOOPT);
  CHECK_ERRNO(set_option(fd, 1, 1, 999), ENOPROTOOPT);
}
