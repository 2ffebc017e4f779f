// See interrupts.h.
#include "guest/sched/interrupts.h"

#include "guest/platform.h"
#include "guest/sched/scheduler.h"

namespace guest {

namespace {

constexpr std::uint32_t lines = vmi::irq_socket + 1;
using Handler = void (*)();
constinit Handler handlers[lines] = {[] { scheduler.tick(); }};

}  // namespace

void serve_interrupt(vmi::Irq line, void (*handler)()) {
  handlers[line] = handler;
}

void take_interrupts() {
  const std::uint32_t pending = shared_info().pending.exchange(0, std::memory_order_acquire);
  for (std::uint32_t line = 0; line < lines; ++line)
    if ((pending >> line & 1) && handlers[line]) handlers[line]();
}

}  // namespace guest
