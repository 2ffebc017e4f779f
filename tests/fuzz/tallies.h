// What the rounds of kernel_fuzz.cpp tell the process that starts them: how calls ended, and what
// else happened. Lies in memory that they share.
#pragma once

#include <cstdint>

#include "tests/fuzz/fuzz.h"

namespace fuzz {

struct Tallies {
  std::uint64_t turns, calls, ok, faults, invalid, unknown, other, upcalls, threads, failures, ends;

  /// A call's result, as the program sees it.
  void count(std::int64_t result) {
    ++(result >= 0 || result < -4095 ? ok
       : result == -14               ? faults
       : result == -22               ? invalid
       : result == -38               ? unknown
                                     : other);
  }
  void report(Run& run) const {
    run.count("turns") = turns;
    run.count("calls") = calls;
    run.count("calls that went well") = ok;
    run.count("EFAULT") = faults;
    run.count("EINVAL") = invalid;
    run.count("ENOSYS") = unknown;
    run.count("other errors") = other;
    run.count("other upcalls") = upcalls;
    run.count("threads made") = threads;
    run.count("failures arranged") = failures;
    run.count("deadlocks ended") = ends;
  }
};

}  // namespace fuzz
