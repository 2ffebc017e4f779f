// The host as the device core sees it, from inside the guest-machine process: raw host calls on
// the tool's own stdin, stdout and stderr.
#pragma once

#include "devices/device.h"

namespace extended {

class HostPort final : public devices::HostPort {
 public:
  std::int64_t write(int stream, const void* data, std::size_t bytes) override;
  std::int64_t read_input(void* data, std::size_t bytes) override;
  std::uint64_t monotonic_ns() override;
  std::uint64_t realtime_ns() override;
  void random(void* data, std::size_t bytes) override;
  void marker(std::uint64_t host_ns, const char* text, std::size_t bytes) override;
  std::uint64_t block_bytes() override;
  bool block_read_only() override;
  std::int64_t read_block(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) override;
  std::int64_t write_block(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) override;
  std::int64_t flush_block() override;
  void stray_access(std::uint32_t address, bool write) override;
};

/// Waits on the host for input (if wanted) for at most `timeout_ns`; negative: for ever.
void wait_for_host(bool input, std::int64_t timeout_ns);

}  // namespace extended
