// The guest user's vector state (x87, SSE, AVX…). The host saved it in the first signal frame; the
// monitor and the guest kernel use no vector registers, so it is reloaded from there when leaving.
// Called by the guest kernel when it switches threads, in kernel mode.
#include <cstring>

#include "extended-vmm/trap/upcall.h"

namespace extended {

void save_vectors(void* to) {
  std::memcpy(to, user_vectors(), image().start_info.xsave_bytes);
}

void load_vectors(const void* from) {
  auto* area = static_cast<unsigned char*>(user_vectors());
  if (from != nullptr) {
    std::memcpy(area, from, image().start_info.xsave_bytes);
    return;
  }
  // An XSAVE area whose header says that every component is in its initial state. MXCSR is loaded
  // all the same, and the control word for good measure.
  constexpr std::size_t legacy_bytes = 512, header_bytes = 64;
  constexpr std::uint16_t initial_control_word = 0x37f;
  constexpr std::uint32_t initial_mxcsr = 0x1f80;
  std::memset(area, 0, legacy_bytes + header_bytes);
  std::memcpy(area, &initial_control_word, sizeof initial_control_word);
  std::memcpy(area + 24, &initial_mxcsr, sizeof initial_mxcsr);
}

}  // namespace extended
