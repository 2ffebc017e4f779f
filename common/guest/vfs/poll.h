// Waiting for any of several files. Called by poll, ppoll, select and pselect6.
#pragma once

#include "guest/heap/vec.h"
#include "guest/vfs/inode.h"

namespace guest {

struct PollItem {
  Ref<File> file;
  std::uint32_t wanted;     // POLL bits; errors and hang-ups are always reported
  std::uint32_t ready = 0;  // the answer
};

inline constexpr std::uint64_t no_time = 1;

/// Looks at all files, and unless one is ready, waits for a change until `deadline_ns`
/// (CLOCK_MONOTONIC, 0: for ever, no_time: not at all). Returns how many are ready; 0: time is up.
/// Errno::restart_unless_handled: none is, and a signal waits.
Result<std::size_t> poll_files(Vec<PollItem>& items, std::uint64_t deadline_ns);

}  // namespace guest
