// The axes of the baseline, as its launcher and its VMM process know them. In the order of
// kind.cpp's words.
#pragma once

#include <cstdint>

namespace baseline {

enum class Trap : std::uint8_t {
  ptrace,  // the paper's protocol
  sysemu,  // its honest best: one stop less
};

}  // namespace baseline
