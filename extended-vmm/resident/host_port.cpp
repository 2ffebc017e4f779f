// Devices' way to the host: see host_port.h. Kernel mode, window open.
#include "extended-vmm/resident/host_port.h"

#include <asm/errno.h>
#include <asm/unistd_64.h>

#include <cstring>
#include <ctime>

#include "extended-vmm/trap/upcall.h"

namespace extended {
namespace {

using monitor::append;
using monitor::append_number;

struct PollDescriptor {
  std::int32_t fd;
  std::int16_t wanted, ready;
};
constexpr std::int16_t poll_in = 1;

std::uint64_t read_clock(int clock) {
  timespec now;
  sure("clock_gettime", counted_host(__NR_clock_gettime, clock, &now));
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// False: there was nothing until the timeout or a signal.
bool poll_one(std::int32_t fd, std::int16_t wanted, const timespec* timeout) {
  PollDescriptor descriptor{fd, wanted, 0};
  const std::int64_t ready =
      counted_host(__NR_ppoll, &descriptor, wanted != 0 ? 1 : 0, timeout, nullptr, 8);
  return ready != -EINTR && sure("ppoll", ready) != 0;
}

}  // namespace

std::int64_t HostPort::write(int stream, const void* data, std::size_t bytes) {
  return counted_host_whole(__NR_write, stream, data, bytes);
}

std::int64_t HostPort::read_input(void* data, std::size_t bytes) {
  // The descriptor is the user's, shared with other processes: no O_NONBLOCK on it.
  const timespec now{0, 0};
  if (!poll_one(0, poll_in, &now)) return -EAGAIN;
  const std::int64_t result = counted_host(__NR_read, 0, data, bytes);
  return result == -EINTR ? -EAGAIN : result;
}

std::uint64_t HostPort::monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC);
}
std::uint64_t HostPort::realtime_ns() {
  return read_clock(CLOCK_REALTIME);
}

void HostPort::random(void* data, std::size_t bytes) {
  const monitor::Moved got =
      monitor::move_whole(bytes, [=](std::uint64_t done, std::uint64_t left) {
        return counted_host(__NR_getrandom, static_cast<char*>(data) + done, left, 0);
      });
  if (got.bytes != bytes) die_of_host_call("getrandom", got.error);
}

void HostPort::marker(std::uint64_t host_ns, const char* text, std::size_t bytes) {
  auto& report = image().report;
  constexpr std::size_t stamp_bytes = 24;
  if (bytes + stamp_bytes > sizeof report.marker_log - report.marker_bytes) {
    ++report.markers_lost;
    return;
  }
  char* to = report.marker_log + report.marker_bytes;
  to = append_number(to, host_ns, 10);
  *to++ = ' ';
  std::memcpy(to, text, bytes);
  to += bytes;
  *to++ = '\n';
  report.marker_bytes = static_cast<std::uint32_t>(to - report.marker_log);
}

void HostPort::stray_access(std::uint32_t address, bool write) {
  char line[80];
  char* end = append(
      line, write ? "typetwo: stray device write at 0x" : "typetwo: stray device read at 0x");
  end = append_number(end, address, 16);
  *end++ = '\n';
  (void)HostPort::write(2, line,
                        static_cast<std::size_t>(end - line));  // as far as anybody listens
}

void wait_for_host(bool input, std::int64_t timeout_ns) {
  const timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  poll_one(0, input ? poll_in : std::int16_t{0}, timeout_ns < 0 ? nullptr : &timeout);
}

}  // namespace extended
