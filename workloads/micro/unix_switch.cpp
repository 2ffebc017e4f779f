// unix-switch: one byte to another process and one back, by a pair of local sockets. The check
// value is how many came back as the other process must have changed them.
#include <sys/socket.h>

#include "ping_pong.h"

int main(int argc, char** argv) {
  constexpr const char* name = "unix-switch";
  const micro::Arguments arguments(name, argc, argv, 1000);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) micro::fail(name, "socketpair failed");
  return micro::ping_pong(name, arguments, {{ends[0], ends[0]}, {ends[1], ends[1]}});
}
