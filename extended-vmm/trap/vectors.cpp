// The guest user's vector state (x87, SSE, AVX…). The monitor and the guest kernel use no vector
// registers, so a direct entry leaves it where it is. A signal makes the host save it in the first
// signal frame, and it is reloaded from there when leaving. If the guest kernel switches threads,
// or a guest's sigreturn brings a state of its own, a copy in the window takes its place: the first
// frame can be overwritten by a nested signal once the signal stack is armed.
#include <cstring>

#include "extended-vmm/trap/upcall.h"

extern "C" int load_vectors_now(const void* xsave_area);

namespace extended {
namespace {

constexpr std::size_t most_xsave_bytes = 12 * 1024;  // AMX tiles included
alignas(64) unsigned char replacement[most_xsave_bytes];
enum class Place { registers, first_frame, replacement };
Place place;

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

/// All components, in the layout of signal frames. What XSAVE leaves out of the header must be
/// zero.
void save_registers(unsigned char* to) {
  constexpr std::size_t legacy_bytes = 512, header_bytes = 64;
  std::memset(to + legacy_bytes, 0, header_bytes);
  asm volatile("xsave64 (%0)" ::"r"(to), "a"(-1), "d"(-1) : "memory");
}

}  // namespace

void vectors_are_in_first_frame() {
  place = Place::first_frame;
}

bool vectors_are_in_registers() {
  return place == Place::registers;
}

void take_vectors() {
  if (place == Place::registers)
    save_registers(replacement);
  else if (place == Place::first_frame)
    std::memcpy(replacement, first_frame_vectors(), image().start_info.xsave_bytes);
  place = Place::replacement;
}

void save_vectors(void* to) {
  if (place == Place::registers) take_vectors();  // XSAVE wants memory more aligned than `to`
  std::memcpy(to, place == Place::replacement ? replacement : first_frame_vectors(),
              image().start_info.xsave_bytes);
}

void load_vectors(const void* from) {
  if (from != nullptr)
    std::memcpy(replacement, from, image().start_info.xsave_bytes);
  else
    make_initial(replacement);
  place = Place::replacement;
}

void put_vectors_in_place() {
  if (place == Place::registers) return;
  const bool replaced = place == Place::replacement;
  place = Place::registers;
  // The copy in the first frame is for nobody: it replaces what another thread left there.
  if (replaced) std::memcpy(first_frame_vectors(), replacement, image().start_info.xsave_bytes);
  if (load_vectors_now(replaced ? replacement : first_frame_vectors()) != 0) return;
  // Tampered with, by a program that can only harm itself: it goes on with the initial state.
  make_initial(replacement);
  load_vectors_now(replacement);
}

}  // namespace extended
