// What a transfer of many parts returns, as Linux has it: bytes that have moved count, and the
// error that stopped the next is told only if none has. (Who goes on meets it again.) Used by all
// that moves bytes for read, write and their kin.
#pragma once

#include <cstddef>

#include "guest/base/result.h"

namespace guest {

/// `done` bytes had moved when `outcome` was known.
inline Result<std::size_t> moved(const Result<>& outcome, const std::size_t& done) {
  return outcome.ok() || done ? Result<std::size_t>(done) : outcome.error();
}

/// Calls `part(done)`, which returns how many bytes it moved, until `bytes` are or it moves none.
template <class Part>
Result<std::size_t> in_parts(std::size_t bytes, Part part) {
  std::size_t done = 0;
  while (done < bytes) {
    Result<std::size_t> more = part(done);
    if (!more.ok()) return moved(more.error(), done);
    if (more.value() == 0) break;
    done += more.value();
  }
  return done;
}

}  // namespace guest
