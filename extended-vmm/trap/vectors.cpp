// The guest user's vector state (x87, SSE, AVX…). The monitor and the guest kernel use no vector
// registers, so a direct entry leaves it where it is, and so does a host process that gives its
// turn away: there it is found again when the same thread goes on. A signal makes the host save it
// in the first signal frame and clear the registers; it is reloaded from there when leaving. In
// other cases the thread's home in the guest kernel's memory has it (Hypercalls::load_vectors).
#include <cstring>

#include "extended-vmm/trap/trap_state.h"
#include "extended-vmm/trap/upcall.h"

extern "C" int load_vectors_now(const void* xsave_area, std::uint64_t features);

namespace extended {
namespace {

using In = TrapState::Vectors;

/// The header says that every component is in its initial state; MXCSR is loaded all the same.
constexpr std::size_t legacy_bytes = 512, header_bytes = 64;
struct alignas(64) XsaveArea {
  std::uint16_t control_word = 0x37f;
  std::uint8_t between[22] = {};
  std::uint32_t mxcsr = 0x1f80;
  std::uint8_t rest[legacy_bytes + header_bytes - 28] = {};
};
static_assert(sizeof(XsaveArea) == legacy_bytes + header_bytes);
constexpr XsaveArea initial;

/// Never more than guest programs use: a forged area may name components whose loading the host
/// refuses by a signal (AMX), or that are no guest's to load (protection keys' rights).
std::uint64_t features() {
  return image().start_info.xsave_features;
}

/// In the layout of signal frames. What XSAVE leaves out of the header must be zero.
void save_registers(void* to) {
  std::memset(static_cast<unsigned char*>(to) + legacy_bytes, 0, header_bytes);
  asm volatile("xsave64 (%0)" ::"r"(to), "a"(features()), "d"(features() >> 32) : "memory");
}

bool load_registers(const void* from) {
  return load_vectors_now(from, features()) != 0;
}

}  // namespace

void vectors_are_in_first_frame() {
  trap_state.vectors_in = In::first_frame;
  host_process().vectors_of = nullptr;
}

void save_vectors() {
  if (trap_state.vectors_home == nullptr) return;
  if (trap_state.vectors_in == In::registers) save_registers(trap_state.vectors_home);
  if (trap_state.vectors_in == In::first_frame)
    std::memcpy(trap_state.vectors_home, trap_state.first_vectors, image().start_info.xsave_bytes);
}

void take_vectors() {
  save_vectors();
  if (trap_state.vectors_in == In::registers) host_process().vectors_of = trap_state.vectors_home;
  trap_state.vectors_in = In::home;
}

void load_vectors(void* of, bool written) {
  trap_state.vectors_home = of;
  void*& left = host_process().vectors_of;
  if (written && left == of) left = nullptr;
  if (written) trap_state.note_other_thread();
  trap_state.vectors_in = of != nullptr && left == of ? In::registers : In::home;
}

void put_vectors_in_place() {
  if (trap_state.vectors_in == In::registers) return;
  const void* from =
      trap_state.vectors_in == In::first_frame ? trap_state.first_vectors : trap_state.vectors_home;
  trap_state.vectors_in = In::registers;
  host_process().vectors_of = nullptr;
  // Tampered with, by a program that can only harm itself: it goes on with the initial state.
  if (from == nullptr || !load_registers(from)) load_registers(&initial);
}

}  // namespace extended
