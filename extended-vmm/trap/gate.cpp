// Finds the gate's variants among the launcher's own bytes (gate.S).
#include "extended-vmm/trap/gate.h"

#define GATE_SYMBOLS(name)                                                  \
  extern "C" const std::byte gate_##name##_begin[], gate_##name##_opened[], \
      gate_##name##_closed[], gate_##name##_end[];
GATE_SYMBOLS(mprotect)
GATE_SYMBOLS(mmap)
GATE_SYMBOLS(none)

namespace extended {
namespace {

Gate make(const std::byte* begin, const std::byte* opened, const std::byte* closed,
          const std::byte* end) {
  auto offset = [&](const std::byte* p) { return static_cast<std::uint64_t>(p - begin); };
  return {{begin, end}, gate_exit - vmi::gate_base, offset(opened), offset(closed)};
}

}  // namespace

Gate gate_for(Protect protect) {
  switch (protect) {
    case Protect::mprotect:
      return make(gate_mprotect_begin, gate_mprotect_opened, gate_mprotect_closed,
                  gate_mprotect_end);
    case Protect::mmap:
      return make(gate_mmap_begin, gate_mmap_opened, gate_mmap_closed, gate_mmap_end);
    case Protect::none:
      break;
  }
  return make(gate_none_begin, gate_none_opened, gate_none_closed, gate_none_end);
}

}  // namespace extended
