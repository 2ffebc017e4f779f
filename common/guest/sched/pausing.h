// in_parts (base/progress.h) for work whose length a program chooses and no wait bounds: with
// points where others may run, and an early end when a signal waits.
#pragma once

#include "guest/base/progress.h"
#include "guest/sched/scheduler.h"

namespace guest {

/// `part` moves at most pause_bytes at a time.
template <class Part>
Result<std::size_t> in_parts_with_pauses(std::size_t bytes, Part part) {
  std::size_t pause_at = pause_bytes;
  return in_parts(bytes, [&](std::size_t done) -> Result<std::size_t> {
    if (done >= pause_at) {
      pause_at = done + pause_bytes;
      if (scheduler.pause()) return std::size_t{0};
    }
    return part(done);
  });
}

}  // namespace guest
