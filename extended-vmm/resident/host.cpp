// See host.h. Kernel mode, window open: RAM is behind the window where the protection has it so.
#include "extended-vmm/resident/host.h"

#include <asm/errno.h>
#include <asm/unistd_64.h>

#include <ctime>

#include "extended-vmm/trap/host_call_numbers.h"
#include "extended-vmm/trap/upcall.h"

namespace extended {

static_assert([] {
  for (const std::uint64_t number : devices::port_calls)
    if (!is_host_call(number)) return false;
  return true;
}());

std::uint64_t Host::clock_ns(int clock) {
  timespec now;
  sure("clock_gettime", counted_host(__NR_clock_gettime, clock, &now));
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void* Host::mapped(std::uint64_t at, std::uint64_t bytes) {
  const StartInfo& start = image().start_info;
  const std::uint64_t end =
      start.protection.ram_is_mapped ? vmi::ram_offset + start.ram_bytes : vmi::window_size;
  if (at > end || bytes > end - at) return nullptr;
  return reinterpret_cast<void*>(vmi::window_base + at);
}

void Host::give_up(const char* call, std::int64_t result) {
  die_of_host_call(call, result);
}

std::int64_t Host::make(std::uint64_t number, const std::uint64_t (&a)[6]) {
  shared_info().count_host_call(number);
  const vmi::Charged charged(time_accounts(), vmi::account_host_calls);
  return host_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void wait_for_host(Host& host, devices::Waits waits) {
  timespec timeout{};
  if (waits.deadline_ns != 0) {
    const std::uint64_t now = host.clock_ns(CLOCK_MONOTONIC);
    const std::uint64_t left = waits.deadline_ns > now ? waits.deadline_ns - now : 0;
    timeout = {static_cast<std::time_t>(left / 1'000'000'000),
               static_cast<long>(left % 1'000'000'000)};
  }
  const std::int64_t ready = counted_host(__NR_ppoll, waits.entries, waits.count,
                                          waits.deadline_ns != 0 ? &timeout : nullptr, nullptr, 8);
  if (ready != -EINTR) sure("ppoll", ready);
}

}  // namespace extended
