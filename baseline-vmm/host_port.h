// The devices' host, in the VMM process: by libc. The tool's stdin, stdout and stderr are the
// user's: none of their flags are changed, not even for a moment.
#pragma once

#include <vector>

#include "devices/device.h"
#include "monitor/guest/memory.h"
#include "monitor/machine/machine_config.h"
#include "monitor/root/block_image.h"

namespace baseline {

class HostPort final : public devices::HostPort {
 public:
  HostPort(const monitor::MachineConfig& config, const monitor::GuestMemory& memory)
      : disk_(config.block_image, config.block_read_only), memory_(memory) {}

  std::int64_t write(int stream, const void* data, std::size_t bytes) override;
  std::int64_t read_input(void* data, std::size_t bytes) override;
  std::uint64_t monotonic_ns() override;
  std::uint64_t realtime_ns() override;
  void random(void* data, std::size_t bytes) override;
  void marker(std::uint64_t host_ns, const char* text, std::size_t bytes) override;
  std::uint64_t block_bytes() override { return disk_.bytes(); }
  bool block_read_only() override { return disk_.read_only(); }
  std::int64_t read_block(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) override;
  std::int64_t write_block(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) override;
  std::int64_t flush_block() override;
  void stray_access(std::uint32_t address, bool write) override;

  [[nodiscard]] const std::vector<monitor::Marker>& markers() const { return markers_; }
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  monitor::BlockImage disk_;
  const monitor::GuestMemory& memory_;
  std::vector<monitor::Marker> markers_;
  std::size_t marker_bytes_ = 0;  // as they would be in a log
  std::uint64_t markers_lost_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace baseline
