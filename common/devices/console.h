// Console: stdin, stdout and stderr of the host, each with a ring of its own.
//
// Output: the guest fills a ring and writes the flush register; all of it goes to the host before
// that write returns. If the host would block, the rest stays in the ring, poll() carries on, and
// irq_console is raised once the ring is empty. If the host refuses (a closed pipe), the rest is
// dropped and the flush register reads as the negative errno.
//
// Input: a write of the fill register makes one attempt to read. What came is in the ring; end of
// file or an error is in the state register. If nothing came the console is armed: poll() tries
// again until something comes. irq_console is raised whenever bytes, an end or an error come. Each
// fill forgets an earlier end of file: on a terminal more may follow.
#pragma once

#include <cstdint>

#include "devices/console_port.h"
#include "devices/device.h"
#include "devices/ring.h"

namespace devices {

class Console final : public Device {
 public:
  Console(ConsolePort port, InterruptLine line, vmi::Rings& rings);

  std::uint64_t read(std::uint32_t offset) override;
  void write(std::uint32_t offset, std::uint64_t value) override;
  void poll() override;
  /// Input that the guest asked for and that was not there yet; room for output.
  void wait_for(Waits&) const override;
  /// The host has not taken all output yet.
  [[nodiscard]] bool output_blocked() const { return out_.blocked || err_.blocked; }

 private:
  struct Output {
    RingEnd ring;
    int stream;
    std::int64_t status = 0;  // what the flush register reads as
    bool blocked = false;
  };

  void drain(Output& output);
  void retry(Output& output);
  void fill();

  ConsolePort port_;
  InterruptLine line_;
  Output out_, err_;
  RingEnd in_;
  std::int64_t input_state_ = 0;
  bool input_armed_ = false;
};

}  // namespace devices
