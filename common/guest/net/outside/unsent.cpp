// See unsent.h. A program that ends leaves what it sent to its kernel; here the kernel ends with
// the first program. A peer that takes nothing for a while is not waited for.
#include "guest/net/outside/unsent.h"

#include "guest/base/clock.h"
#include "guest/net/outside/carried.h"
#include "guest/platform.h"
#include "guest/sched/interrupts.h"

namespace guest {
namespace {

constexpr std::uint64_t patience_ns = 2 * ns_per_second;

class SendAtEnd final : public ProcessObserver {
 public:
  void machine_ends() override {
    std::uint64_t seen = Carried::progress, until = monotonic_ns() + patience_ns;
    while (Carried::any_unsent() && monotonic_ns() < until) {
      shared_info().timer_deadline.store(until);
      hypercalls().idle();
      take_interrupts();
      if (seen == Carried::progress) continue;
      seen = Carried::progress;
      until = monotonic_ns() + patience_ns;
    }
  }
};

constinit SendAtEnd send_at_end;

}  // namespace

ProcessObserver& unsent_observer() {
  return send_at_end;
}

}  // namespace guest
