// Two ends of a TCP connection over the loopback, as the tcp programs need it.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <initializer_list>

#include "marker.h"

namespace micro {

struct TcpPair {
  int client, server;
  explicit TcpPair(const char* name) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, any, bytes) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, any, &bytes) != 0)
      fail(name, "no listening socket");
    client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, any, bytes) != 0) fail(name, "connect failed");
    server = accept(listener, nullptr, nullptr);
    if (server < 0) fail(name, "accept failed");
    close(listener);
    const int on = 1;
    for (int fd : {client, server})
      if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        fail(name, "setsockopt failed");
  }
};

}  // namespace micro
