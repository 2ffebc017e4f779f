// Blocks of 64 KiB by a TCP connection: a sender, and a receiver that answers how many of them
// arrived as they were sent: each begins with its number.
#pragma once

#include "tcp_pair.h"

namespace micro {

inline constexpr std::size_t block_bytes = 64 * 1024;

inline bool receive_block(int fd, unsigned char* block) {
  for (std::size_t done = 0; done < block_bytes;) {
    const ssize_t part = read(fd, block + done, block_bytes - done);
    if (part <= 0) return false;
    done += static_cast<std::size_t>(part);
  }
  return true;
}

/// Reads parts until the sender is gone: how many blocks there are, then those. Answers with how
/// many of them were right.
[[noreturn]] inline void receive_blocks(int fd) {
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

inline std::uint64_t send_blocks(const char* name, int fd, std::uint64_t count) {
  static unsigned char block[block_bytes];
  block[block_bytes - 1] = 0x5a;
  if (write(fd, &count, sizeof count) != sizeof count) fail(name, "the receiver is gone");
  for (std::uint64_t i = 0; i < count; ++i) {
    std::memcpy(block, &i, sizeof i);
    if (write(fd, block, block_bytes) != static_cast<ssize_t>(block_bytes))
      fail(name, "the receiver is gone");
  }
  std::uint64_t right = 0;
  if (read(fd, &right, sizeof right) != sizeof right) fail(name, "the receiver is gone");
  return right;
}

}  // namespace micro
