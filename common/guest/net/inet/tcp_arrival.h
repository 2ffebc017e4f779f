// A connection in a TCP listener's backlog: who connects, and to which address. Made by sockets
// that connect (tcp.cpp) and by ports that are published (tcp_outside.cpp).
#pragma once

#include "guest/net/inet/tcp.h"

namespace guest {

struct TcpSocket::TcpArrival final : Arrival {
  TcpArrival(Ref<Flow> in, Ref<Flow> out, const Endpoint& client, const Endpoint& server)
      : Arrival(std::move(in), std::move(out)), client(client), server(server) {}
  Endpoint client, server;
};

}  // namespace guest
