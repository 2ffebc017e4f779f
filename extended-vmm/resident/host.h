// The devices' host, from inside the guest-machine process: raw host calls.
#pragma once

#include "devices/host.h"
#include "devices/waits.h"

namespace extended {

class Host final : public devices::Host {
 public:
  std::uint64_t clock_ns(int clock) override;
  void* mapped(std::uint64_t at, std::uint64_t bytes) override;
  [[noreturn]] void give_up(const char* call, std::int64_t result) override;

 private:
  std::int64_t make(std::uint64_t number, const std::uint64_t (&arguments)[6]) override;
};

/// Sleeps on the host until one of them has come, or a signal.
void wait_for_host(Host&, devices::Waits);

}  // namespace extended
