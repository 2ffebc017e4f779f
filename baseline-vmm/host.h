// The devices' host, in the VMM process: by libc.
#pragma once

#include "devices/host.h"
#include "monitor/guest/memory.h"

namespace baseline {

class Host final : public devices::Host {
 public:
  explicit Host(const monitor::GuestMemory& memory) : memory_(memory) {}

  /// By the vdso.
  std::uint64_t clock_ns(int clock) override;
  void* mapped(std::uint64_t at, std::uint64_t bytes) override { return memory_.bytes(at, bytes); }
  /// Throws HostError: ends the launch.
  [[noreturn]] void give_up(const char* call, std::int64_t result) override;

 private:
  std::int64_t make(std::uint64_t number, const std::uint64_t (&arguments)[6]) override;

  const monitor::GuestMemory& memory_;
};

}  // namespace baseline
