// What the topics of internet sockets share. They run in a network of their own that has nothing
// but a loopback, as a guest has.
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>

#include "sockets.h"

namespace sockets {

/// Leaves the host's network for one that has nothing but a loopback, as a guest's has; guests need
/// not, and have no such call. For tests about what lies outside.
inline void be_alone() {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq loopback = {};
  strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  ioctl(fd, SIOCSIFFLAGS, &loopback);
  close(fd);
}

/// An address of either family, as a sockaddr.
struct Address {
  sockaddr_storage storage = {};
  socklen_t bytes = 0;
  Address() : bytes(sizeof storage) {}
  Address(const char* text, int port) {
    auto* v4 = (sockaddr_in*)&storage;
    auto* v6 = (sockaddr_in6*)&storage;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons((uint16_t)port);
      bytes = sizeof *v4;
    } else {
      inet_pton(AF_INET6, text, &v6->sin6_addr);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons((uint16_t)port);
      bytes = sizeof *v6;
    }
  }
  [[nodiscard]] const sockaddr* get() const { return (const sockaddr*)&storage; }
  [[nodiscard]] int port() const { return ntohs(((const sockaddr_in*)&storage)->sin_port); }
  [[nodiscard]] bool is(const char* text) const {
    char buffer[64] = {};
    const void* from = storage.ss_family == AF_INET
                           ? (const void*)&((const sockaddr_in*)&storage)->sin_addr
                           : (const void*)&((const sockaddr_in6*)&storage)->sin6_addr;
    inet_ntop(storage.ss_family, from, buffer, sizeof buffer);
    return strcmp(buffer, text) == 0;
  }
};

inline Address name_of(int fd) {
  Address address;
  if (getsockname(fd, (sockaddr*)&address.storage, &address.bytes) != 0) address.bytes = 0;
  return address;
}
inline Address peer_of(int fd) {
  Address address;
  if (getpeername(fd, (sockaddr*)&address.storage, &address.bytes) != 0) address.bytes = 0;
  return address;
}
inline int bind_to(int fd, const Address& to) {
  return bind(fd, to.get(), to.bytes);
}
inline int connect_to(int fd, const Address& to) {
  return connect(fd, to.get(), to.bytes);
}

inline int inet_listener(const char* text = "127.0.0.1", int port = 0, int backlog = 5) {
  const Address address(text, port);
  int fd = socket(address.storage.ss_family, SOCK_STREAM, 0);
  if (bind_to(fd, address) != 0 || listen(fd, backlog) != 0) return -1;
  return fd;
}

/// A connection by TCP.
struct Connection {
  int listener, client = -1, server = -1;
  explicit Connection(const char* text = "127.0.0.1") : listener(inet_listener(text)) {
    client = socket(name_of(listener).storage.ss_family, SOCK_STREAM, 0);
    if (connect_to(client, name_of(listener)) != 0) return;
    server = accept(listener, nullptr, nullptr);
  }
  ~Connection() { close(listener), close(client), close(server); }
};

}  // namespace sockets
