// collect_counters: the shared-info page's counters, the system calls nobody served, and the
// accounts of system calls, host calls and time, by name. Called by both launchers after the guest
// has ended.
#include <fmt/format.h>

#include "monitor/guest/memory.h"
#include "monitor/machine/syscall_names.h"
#include "monitor/machine/time_scale.h"

namespace monitor {

namespace {

void collect_system_calls(const vmi::Accounts& accounts, Outcome& outcome) {
  for (std::uint32_t number = 0; number < vmi::system_call_slots; ++number) {
    const SystemCallAccount account{accounts.calls[number], accounts.trapped[number],
                                    accounts.cycles[vmi::Accounts::system_call(number)]};
    if (account != SystemCallAccount{}) outcome.system_calls[syscall_name(number)] = account;
  }
}

void collect_time(const vmi::Accounts& accounts, const vmi::TimeScale scale, Outcome& outcome) {
#define X(name) outcome.cycles[#name] = accounts.cycles[vmi::account_##name];
  VMI_ACCOUNTS(X)
#undef X
  std::uint64_t& calls = outcome.cycles["system_calls"];
  for (std::uint32_t number = 1; number < vmi::system_call_slots; ++number) {
    calls += accounts.cycles[vmi::Accounts::system_call(number)];
  }
  outcome.shortest_trapped_stay = accounts.shortest_trapped_stay;
  outcome.cycles_per_second = cycles_per_second(scale);
}

}  // namespace

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
  for (std::uint32_t number = 0; number < vmi::host_call_slots; ++number) {
    if (std::uint64_t times = shared.host_calls[number]) {
      outcome.host_calls[syscall_name(number)] = times;
    }
  }
  collect_system_calls(memory.accounts(), outcome);
  if (memory.boot_info().options & vmi::boot_account) {
    collect_time(memory.accounts(), shared.time, outcome);
  }
}

}  // namespace monitor
