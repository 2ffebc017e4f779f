// The block device's way to the host: a raw image, and guest memory. What is mapped where the
// device runs goes straight between the two. Page frames are not mapped under protect=mprotect:
// there the host copies from file to file (for 64 MiB 12 to 15 ms of CPU time; through a buffer of
// 32 KiB it took 18 to 23, by mapping each piece 16 to 43).
#pragma once

#include <cstdint>

#include "devices/host.h"

namespace devices {

/// Descriptors where the device runs, and sizes.
struct Disk {
  int image = -1;
  std::uint64_t bytes = 0;  // 0: there is none
  bool read_only = true;
  int memory = -1;  // the memfd, by whose offsets guest memory is named
  std::uint64_t memory_bytes = 0;
};

class BlockPort {
 public:
  BlockPort(Host& host, const Disk& disk) : host_(host), disk_(disk) {}

  [[nodiscard]] std::uint64_t bytes() const { return disk_.bytes; }
  [[nodiscard]] bool read_only() const { return disk_.read_only; }
  /// Bytes moved between the image from byte `at` and guest memory, at least one unless the image
  /// ends; or a negative errno, -EFAULT where there is no such memory.
  std::int64_t read(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes);
  std::int64_t write(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes);
  /// What was written is on stable storage. 0 or a negative errno.
  std::int64_t flush();

 private:
  [[nodiscard]] bool is_memory(std::uint64_t at, std::uint64_t bytes) const {
    return at <= disk_.memory_bytes && bytes <= disk_.memory_bytes - at;
  }
  std::int64_t pass_on(int from, std::uint64_t from_at, int to, std::uint64_t to_at,
                       std::uint64_t bytes);

  Host& host_;
  Disk disk_;
};

}  // namespace devices
