// Finds the gate's variants among the launcher's own bytes (gate.S).
#include "extended-vmm/trap/gate.h"

#define GATE_SYMBOLS(name)                                                                       \
  extern "C" const std::byte gate_##name##_begin[], gate_##name##_end[], gate_##name##_opened[], \
      gate_##name##_closed[], gate_##name##_direct_saved[], gate_##name##_direct_opened[],       \
      gate_##name##_direct_closed[];                                                             \
  static extended::Gate name##_gate() {                                                          \
    auto offset = [](const std::byte* p) {                                                       \
      return static_cast<std::uint64_t>(p - gate_##name##_begin);                                \
    };                                                                                           \
    return {.code = {gate_##name##_begin, gate_##name##_end},                                    \
            .opened_offset = offset(gate_##name##_opened),                                       \
            .closed_offset = offset(gate_##name##_closed),                                       \
            .direct_opened_offset = offset(gate_##name##_direct_opened),                         \
            .direct_closed_offset = offset(gate_##name##_direct_closed),                         \
            .direct_saved_offset = offset(gate_##name##_direct_saved)};                          \
  }
GATE_SYMBOLS(mprotect)
GATE_SYMBOLS(mmap)
GATE_SYMBOLS(none)
GATE_SYMBOLS(mprotect_stamped)
GATE_SYMBOLS(mmap_stamped)
GATE_SYMBOLS(none_stamped)

namespace extended {
namespace {

Gate whole_gate(Window window, bool stamped) {
  switch (window) {
    case Window::changes_access:
      return stamped ? mprotect_stamped_gate() : mprotect_gate();
    case Window::is_mapped:
      return stamped ? mmap_stamped_gate() : mmap_gate();
    case Window::stays_open:
      break;
  }
  return stamped ? none_stamped_gate() : none_gate();
}

}  // namespace

Gate gate_for(Window window, Trap trap, bool stamped) {
  const Gate gate = whole_gate(window, stamped);
  if (trap == Trap::direct) return gate;
  return {.code = gate.code.first(gate_direct_entry - vmi::gate_base),
          .opened_offset = gate.opened_offset,
          .closed_offset = gate.closed_offset,
          .direct_opened_offset = 0,
          .direct_closed_offset = 0,
          .direct_saved_offset = 0};
}

}  // namespace extended
