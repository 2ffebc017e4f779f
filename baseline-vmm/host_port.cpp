// See host_port.h. Called from the launcher's loop while the guest-machine process is stopped in a
// VMM call, and on ticks.
#include "baseline-vmm/host_port.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "monitor/tool/error.h"

namespace baseline {

namespace {

constexpr std::size_t most_warnings = 16;

std::uint64_t nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// A descriptor that may block is asked first: 0 when it is ready, else a negative errno.
std::int64_t ready(int fd, short events) {
  pollfd poll_fd{fd, events, 0};
  int count = ::poll(&poll_fd, 1, 0);
  if (count < 0) return -errno;
  return count == 0 ? -EAGAIN : 0;
}

}  // namespace

std::int64_t HostPort::write(int stream, const void* data, std::size_t bytes) {
  // A pipe with room for some of it would block for the rest: a tick's signal ends that wait.
  if (std::int64_t error = ready(stream, POLLOUT); error < 0) return error;
  ssize_t written = ::write(stream, data, bytes);
  return written < 0 ? -errno : written;
}

std::int64_t HostPort::read_input(void* data, std::size_t bytes) {
  if (std::int64_t error = ready(STDIN_FILENO, POLLIN); error < 0) return error;
  ssize_t got = ::read(STDIN_FILENO, data, bytes);
  return got < 0 ? -errno : got;
}

std::uint64_t HostPort::monotonic_ns() {
  return nanoseconds(CLOCK_MONOTONIC);
}

std::uint64_t HostPort::realtime_ns() {
  return nanoseconds(CLOCK_REALTIME);
}

void HostPort::random(void* data, std::size_t bytes) {
  auto* at = static_cast<std::byte*>(data);
  while (bytes != 0) {
    ssize_t got = getrandom(at, bytes, 0);
    if (got < 0 && errno != EINTR) monitor::throw_errno("cannot get random bytes for the guest");
    if (got <= 0) continue;
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

void HostPort::marker(std::uint64_t host_ns, const char* text, std::size_t bytes) {
  // A guest can make any number of them.
  constexpr std::size_t stamp_bytes = 24, most_marker_bytes = 16384;
  if (bytes + stamp_bytes > most_marker_bytes - marker_bytes_) {
    ++markers_lost_;
    return;
  }
  marker_bytes_ += bytes + stamp_bytes;
  markers_.push_back({host_ns, std::string(text, bytes)});
}

std::int64_t HostPort::read_block(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) {
  std::byte* to = memory_.bytes(memory, bytes);
  if (!to) return -EFAULT;
  ssize_t got = pread(disk_.fd(), to, bytes, static_cast<off_t>(at));
  return got < 0 ? -errno : got;
}

std::int64_t HostPort::write_block(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) {
  const std::byte* from = memory_.bytes(memory, bytes);
  if (!from) return -EFAULT;
  ssize_t put = pwrite(disk_.fd(), from, bytes, static_cast<off_t>(at));
  return put < 0 ? -errno : put;
}

std::int64_t HostPort::flush_block() {
  return fdatasync(disk_.fd()) < 0 ? -errno : 0;
}

void HostPort::stray_access(std::uint32_t address, bool write) {
  if (warnings_.size() >= most_warnings) return;
  warnings_.push_back(fmt::format("the guest kernel {} device address {:#x}, which no device owns",
                                  write ? "wrote to" : "read", address));
}

std::vector<std::string> HostPort::warnings() const {
  auto all = warnings_;
  if (markers_lost_ != 0)
    all.push_back(fmt::format("{} markers were lost: a run holds some hundred", markers_lost_));
  return all;
}

}  // namespace baseline
