// CPU time: how much of it a task or several have had, and how much of that in user and how much in
// kernel mode. The sum is precise: the scheduler reads the TSC at every switch. The shares are not,
// because reading it at each entry and exit would cost more than a system call does: the monitor's
// ticks, one each 10 ms that the guest is at work, say which mode they have found, and divide the
// sum. So does Linux, unless it is built to do otherwise.
#pragma once

#include <cstdint>

namespace guest {

/// Of one task, or of several.
struct CpuTime {
  std::uint64_t all = 0;  // TSC ticks
  // The monitor's, not the TSC's.
  std::uint64_t samples_in_user = 0, samples_in_kernel = 0;

  CpuTime& operator+=(const CpuTime& other) {
    all += other.all;
    samples_in_user += other.samples_in_user;
    samples_in_kernel += other.samples_in_kernel;
    return *this;
  }
};

/// TSC ticks in user and in kernel mode.
struct CpuShares {
  std::uint64_t user = 0, system = 0;

  CpuShares& operator+=(const CpuShares& other) {
    user += other.user;
    system += other.system;
    return *this;
  }

  /// Divides all the time there has been. Neither share is less than the last time: programs take
  /// differences.
  void divide(const CpuTime& time) {
    if (time.all <= user + system) return;
    const std::uint64_t samples = time.samples_in_user + time.samples_in_kernel;
    // In two parts, neither of which can overflow: there are fewer samples than milliseconds.
    const std::uint64_t kernel = samples == 0
                                     ? 0
                                     : time.all / samples * time.samples_in_kernel +
                                           time.all % samples * time.samples_in_kernel / samples;
    if (kernel > system) system = kernel < time.all - user ? kernel : time.all - user;
    user = time.all - system;
  }
};

}  // namespace guest
