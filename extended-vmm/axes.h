// The axes `trap` and `spaces` of the extended VMM, as its launcher and its resident part know
// them, in the order of kind.cpp's words. The values of `protect` are policies of their own:
// protect/policy.h.
#pragma once

#include <cstdint>

namespace extended {

enum class Trap : std::uint8_t {
  direct,  // patched call sites, `sigsys` for the rest
  sigsys,  // each system call is a signal that the filter raises
};

enum class Spaces : std::uint8_t {
  pool,   // a host process for each address space
  remap,  // one, whose mappings are replaced
};

}  // namespace extended
