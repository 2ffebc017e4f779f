// tcp-stream: 64 KiB to another process by a TCP connection over the loopback; each measured part
// ends when the other has them all, and says so by a byte. The check value is how many of the
// blocks arrived as they were sent: each begins with its number.
#include <sys/wait.h>

#include "tcp_pair.h"

namespace {

constexpr const char* name = "tcp-stream";
constexpr std::size_t block_bytes = 64 * 1024;

bool receive_block(int fd, unsigned char* block) {
  for (std::size_t done = 0; done < block_bytes;) {
    const ssize_t part = read(fd, block + done, block_bytes - done);
    if (part <= 0) return false;
    done += static_cast<std::size_t>(part);
  }
  return true;
}

/// Reads parts until the sender is gone: how many blocks there are, then those. Answers with how
/// many of them were right.
[[noreturn]] void receive_all(int fd) {
  static unsigned char block[block_bytes];
  std::uint64_t count = 0;
  while (read(fd, &count, sizeof count) == sizeof count) {
    std::uint64_t right = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!receive_block(fd, block)) _exit(1);
      std::uint64_t number = 0;
      std::memcpy(&number, block, sizeof number);
      right += number == i && block[block_bytes - 1] == 0x5a;
    }
    if (write(fd, &right, sizeof right) != sizeof right) _exit(1);
  }
  _exit(0);
}

std::uint64_t send_blocks(int fd, std::uint64_t count) {
  static unsigned char block[block_bytes];
  block[block_bytes - 1] = 0x5a;
  if (write(fd, &count, sizeof count) != sizeof count) micro::fail(name, "the receiver is gone");
  for (std::uint64_t i = 0; i < count; ++i) {
    std::memcpy(block, &i, sizeof i);
    if (write(fd, block, block_bytes) != static_cast<ssize_t>(block_bytes))
      micro::fail(name, "the receiver is gone");
  }
  std::uint64_t right = 0;
  if (read(fd, &right, sizeof right) != sizeof right) micro::fail(name, "the receiver is gone");
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 200);
  const micro::TcpPair pair(name);
  const pid_t child = fork();
  if (child < 0) micro::fail(name, "fork failed");
  if (child == 0) {
    close(pair.client);
    receive_all(pair.server);
  }
  close(pair.server);
  const std::uint64_t right =
      micro::measure(name, arguments, arguments.count / 10 + 1,
                     [&](std::uint64_t count) { return send_blocks(pair.client, count); });
  close(pair.client);
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0)
    micro::fail(name, "the other process ended badly");
  return micro::report(name, right);
}
