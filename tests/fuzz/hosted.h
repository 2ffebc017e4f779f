// For fuzzers that drive guest-kernel code built for the host: whatever ends the process (a
// sanitizer's report, a hang) says which round it was. Included by the one source with main.
#pragma once

#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

extern "C" inline const char* __ubsan_default_options() {
  return "halt_on_error=1:print_stacktrace=1";
}

namespace fuzz {

inline Run* current_run;

inline void name_round() {
  current_run->fail("see above");
}

/// From now on a round longer than so many seconds is a hang.
inline void watch_hosted(Run& run) {
  current_run = &run;
  __sanitizer_set_death_callback(name_round);
  signal(SIGALRM, [](int) {
    current_run->fail("a hang");
    _exit(1);
  });
}

}  // namespace fuzz
