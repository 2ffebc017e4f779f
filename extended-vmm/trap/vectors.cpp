// The guest user's vector state (x87, SSE, AVX…). The host saved it in the first signal frame; the
// monitor and the guest kernel use no vector registers, so it is reloaded from there when leaving.
// If the guest kernel switches threads, or a guest's sigreturn brings a state of its own, a copy in
// the window takes its place: the first frame can be overwritten by a nested signal once the signal
// stack is armed.
#include <cstring>

#include "extended-vmm/trap/upcall.h"

extern "C" int load_vectors_now(const void* xsave_area);

namespace extended {
namespace {

constexpr std::size_t most_xsave_bytes = 12 * 1024;  // AMX tiles included
alignas(64) unsigned char replacement[most_xsave_bytes];
bool replaced;

/// An XSAVE area whose header says that every component is in its initial state. MXCSR is loaded
/// all the same, and the x87 control word is set for readers that look at it there.
void make_initial(unsigned char* area) {
  constexpr std::size_t legacy_bytes = 512, header_bytes = 64;
  constexpr std::uint16_t initial_control_word = 0x37f;
  constexpr std::uint32_t initial_mxcsr = 0x1f80;
  std::memset(area, 0, legacy_bytes + header_bytes);
  std::memcpy(area, &initial_control_word, sizeof initial_control_word);
  std::memcpy(area + 24, &initial_mxcsr, sizeof initial_mxcsr);
}

}  // namespace

void vectors_are_in_first_frame() {
  replaced = false;
}

void save_vectors(void* to) {
  std::memcpy(to, replaced ? replacement : first_frame_vectors(), image().start_info.xsave_bytes);
}

void load_vectors(const void* from) {
  if (from != nullptr)
    std::memcpy(replacement, from, image().start_info.xsave_bytes);
  else
    make_initial(replacement);
  replaced = true;
}

void put_vectors_in_place() {
  // The copy in the first frame is for nobody: it replaces what another thread left there.
  if (replaced) std::memcpy(first_frame_vectors(), replacement, image().start_info.xsave_bytes);
  if (load_vectors_now(replaced ? replacement : first_frame_vectors()) != 0) return;
  // Tampered with, by a program that can only harm itself: it goes on with the initial state.
  make_initial(replacement);
  replaced = true;
  load_vectors_now(replacement);
}

}  // namespace extended
