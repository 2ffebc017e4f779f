// What the resident part left behind in the window, once its process has ended.
#pragma once

#include <cstddef>
#include <span>

#include "extended-vmm/resident/image.h"
#include "monitor/guest_memory.h"
#include "monitor/guest_process.h"

namespace extended {

/// The embedded resident image, for loading and for unwinding.
std::span<const std::byte> resident_elf();

/// How the guest-machine process ended, from its wait status and the resident part's report: sets
/// exit_status and failure.
void judge_end(int status, const monitor::GuestProcess&, const monitor::GuestMemory&, const Report&,
               monitor::Outcome&);

void read_markers(const Report&, monitor::Outcome&);

/// A number of TSC ticks in seconds.
double tsc_seconds(const vmi::TimeScale&, std::uint64_t ticks);

}  // namespace extended
