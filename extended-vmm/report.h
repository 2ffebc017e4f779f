// What the resident part left behind in the window, once its process has ended. It is the machine's
// word: a copy is read, in which nothing changes any more, and nothing in it is taken for granted.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "extended-vmm/resident/image.h"
#include "monitor/guest/memory.h"

namespace extended {

/// The embedded resident image, for loading and for unwinding.
std::span<const std::byte> resident_elf();

/// How the guest-machine process ended, from its wait status and the resident part's report: sets
/// exit_status and failure.
void judge_end(int status, const std::string& startup_error, const monitor::GuestMemory&,
               const Report&, monitor::Outcome&);

/// That call sites went on trapping for want of room.
void warn_of_trapping_sites(const vmi::Counters&, monitor::Outcome&);

/// When the first guest user instruction ran, by the host's monotonic clock. Nothing: never, or at
/// a time that cannot be. `scale` is as the launcher made it.
std::optional<double> boot_time(const Report&, const vmi::TimeScale& scale, std::uint64_t now_tsc);

}  // namespace extended
