// The devices' host, in the VMM process: by libc. The tool's stdin, stdout and stderr are the
// user's: none of their flags are changed, not even for a moment.
#pragma once

#include <vector>

#include "devices/device.h"
#include "monitor/machine_config.h"

namespace baseline {

class HostPort final : public devices::HostPort {
 public:
  std::int64_t write(int stream, const void* data, std::size_t bytes) override;
  std::int64_t read_input(void* data, std::size_t bytes) override;
  std::uint64_t monotonic_ns() override;
  std::uint64_t realtime_ns() override;
  void random(void* data, std::size_t bytes) override;
  void marker(std::uint64_t host_ns, const char* text, std::size_t bytes) override;
  void stray_access(std::uint32_t address, bool write) override;

  [[nodiscard]] const std::vector<monitor::Marker>& markers() const { return markers_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::vector<monitor::Marker> markers_;
  std::vector<std::string> warnings_;
};

}  // namespace baseline
