// What a machine waits for while its guest sleeps. Each device adds its own (Device::wait_for);
// monitors sleep in one host poll over the whole, and then poll the machine.
#pragma once

#include <cstdint>

namespace devices {

struct Waits {
  static constexpr std::uint32_t most = 4;
  static constexpr std::int16_t readable = 1, writable = 4;  // POLLIN, POLLOUT

  /// As poll() has them.
  struct Entry {
    std::int32_t fd;
    std::int16_t wanted, ready;
  };

  Entry entries[most] = {};
  std::uint32_t count = 0;
  std::uint64_t deadline_ns = 0;  // CLOCK_MONOTONIC; 0: none

  /// More than fit are a mistake of the machine's.
  void add(std::int32_t fd, std::int16_t wanted) {
    if (count == most) __builtin_trap();
    entries[count++] = {fd, wanted, 0};
  }
  void until(std::uint64_t deadline) {
    if (deadline_ns == 0 || deadline < deadline_ns) deadline_ns = deadline;
  }
};

}  // namespace devices
