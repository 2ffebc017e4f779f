// The console's way to the host: the tool's own stdin, stdout and stderr. They are the user's, and
// others may share them: none of their flags are changed. So each is asked before it is used, and
// gets no more at a time than it then takes without blocking: a host that does not listen must stop
// the one who writes, and not the guest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "devices/host.h"

namespace devices {

class ConsolePort {
 public:
  static constexpr int input = 0, output = 1, errors = 2;
  /// What a pipe with room takes whole.
  static constexpr std::size_t most_at_once = 4096;

  explicit ConsolePort(Host& host) : host_(host) {}

  /// Bytes, at least one of those given; -EAGAIN: it would block. Another negative host errno.
  std::int64_t write(int stream, const void* data, std::size_t bytes);
  /// Bytes, 0 at the end; -EAGAIN: there are none yet. Another negative host errno.
  std::int64_t read(void* data, std::size_t bytes);

 private:
  std::int64_t ready(int fd, std::int16_t wanted);

  Host& host_;
};

}  // namespace devices
