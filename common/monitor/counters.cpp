// collect_counters: the shared-info page's counters and the system calls nobody served, by name.
// Called by both launchers after the guest has ended.
#include <fmt/format.h>

#include "monitor/guest_memory.h"
#include "monitor/syscall_names.h"

namespace monitor {

void collect_counters(const GuestMemory& memory, Outcome& outcome) {
  const vmi::SharedInfo& shared = memory.shared_info();
#define X(name) outcome.counters[#name] += shared.counters.name;
  VMI_COUNTERS(X)
#undef X
  for (std::uint32_t number = 0; number < vmi::unknown_syscall_slots; ++number) {
    if (std::uint16_t times = shared.unknown_syscall[number]) {
      outcome.unknown_syscalls[syscall_name(number)] += times;
    }
  }
}

}  // namespace monitor
