// See host.h. Called from the launcher's loop while the guest-machine process is stopped in a VMM
// call, and on ticks.
#include "baseline-vmm/host.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "monitor/tool/error.h"

namespace baseline {

std::uint64_t Host::clock_ns(int clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void Host::give_up(const char* call, std::int64_t result) {
  throw monitor::HostError(
      fmt::format("the host refuses {}: {}", call,
                  std::strerror(result < 0 ? static_cast<int>(-result) : EIO)));
}

std::int64_t Host::make(std::uint64_t number, const std::uint64_t (&a)[6]) {
  const long result = syscall(static_cast<long>(number), a[0], a[1], a[2], a[3], a[4], a[5]);
  return result < 0 ? -errno : result;
}

}  // namespace baseline
