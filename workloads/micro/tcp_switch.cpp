// tcp-switch: one byte to another process and one back, by a TCP connection over the loopback. The
// check value is how many came back as the other process must have changed them.
#include "ping_pong.h"
#include "tcp_pair.h"

int main(int argc, char** argv) {
  constexpr const char* name = "tcp-switch";
  const micro::Arguments arguments(name, argc, argv, 1000);
  const micro::TcpPair pair(name);
  return micro::ping_pong(name, arguments,
                          {{pair.client, pair.client}, {pair.server, pair.server}});
}
