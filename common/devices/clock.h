// Clock: reads the host's clocks, and turns SharedInfo::timer_deadline into irq_timer.
//
// The guest kernel stores a deadline; poll(), which monitors call on every host tick and before
// idling, finds it passed, takes it (stores 0) and raises irq_timer: once for each deadline stored,
// even if the guest stores the same value again because its own clock lags a little behind.
#pragma once

#include "devices/device.h"
#include "devices/host.h"

namespace devices {

class Clock final : public Device {
 public:
  Clock(Host& host, InterruptLine line, std::atomic<std::uint64_t>& deadline)
      : host_(host), line_(line), deadline_(deadline) {}

  std::uint64_t read(std::uint32_t offset) override;
  void write(std::uint32_t, std::uint64_t) override {}
  void poll() override;
  void wait_for(Waits&) const override;

 private:
  Host& host_;
  InterruptLine line_;
  std::atomic<std::uint64_t>& deadline_;
};

}  // namespace devices
