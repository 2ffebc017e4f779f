// tcp-stream: 64 KiB to another process by a TCP connection over the loopback; each measured part
// ends when the other has them all, and says so. The check value is how many of the blocks arrived
// as they were sent.
#include <sys/wait.h>

#include "tcp_blocks.h"

namespace {

constexpr const char* name = "tcp-stream";

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 200);
  const micro::TcpPair pair(name);
  const pid_t child = fork();
  if (child < 0) micro::fail(name, "fork failed");
  if (child == 0) {
    close(pair.client);
    micro::receive_blocks(pair.server);
  }
  close(pair.server);
  const std::uint64_t right = micro::measure(
      name, arguments, arguments.count / 10 + 1,
      [&](std::uint64_t count) { return micro::send_blocks(name, pair.client, count); });
  close(pair.client);
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0)
    micro::fail(name, "the other process ended badly");
  return micro::report(name, right);
}
