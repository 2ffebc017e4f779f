// When guest RAM gets the host's memory, which costs a guest's first touch of a page more than the
// touch itself. Chosen on the command line (--fill), done by guest_memory.h and filler.h.
#pragma once

#include <cstdint>
#include <string>

namespace monitor {

enum class Fill {
  before,  // all of it before the clock starts: for measuring
  ahead,   // a little before, the rest while the guest runs, on another CPU: starts at once
  demand,  // by the touch, which a measurement then contains
};

inline constexpr const char* fill_words = "before, ahead or demand";
const char* word_of(Fill);
/// Throws UsageError.
Fill parse_fill(const std::string& word);

/// How much of RAM is filled before the guest starts. The guest kernel takes its frames from below:
/// with Fill::ahead the beginning lasts it until the filler is under way.
std::uint64_t filled_before(Fill, std::uint64_t ram_bytes);

}  // namespace monitor
