// Called by the console at flushes, fills and polls, and by the bus.
#include "devices/console_port.h"

#include <asm-generic/errno.h>

#include <ctime>

#include "devices/waits.h"

namespace devices {

/// 0, or a negative errno. What cannot be used at all is ready, too: the use says why.
std::int64_t ConsolePort::ready(int fd, std::int16_t wanted) {
  Waits::Entry entry{fd, wanted, 0};
  const timespec now{0, 0};
  constexpr std::uint64_t signal_set_bytes = 8;
  const std::int64_t count = host_.call(__NR_ppoll, &entry, 1, &now, nullptr, signal_set_bytes);
  if (count < 0) return count;
  return count == 0 ? -EAGAIN : 0;
}

std::int64_t ConsolePort::write(int stream, const void* data, std::size_t bytes) {
  if (const std::int64_t error = ready(stream, Waits::writable); error < 0) return error;
  return host_.call(__NR_write, stream, data, bytes < most_at_once ? bytes : most_at_once);
}

std::int64_t ConsolePort::read(void* data, std::size_t bytes) {
  if (const std::int64_t error = ready(input, Waits::readable); error < 0) return error;
  return host_.call(__NR_read, input, data, bytes);
}

}  // namespace devices
