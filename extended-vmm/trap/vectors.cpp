// The guest user's vector state (x87, SSE, AVX…). The monitor and the guest kernel use no vector
// registers, so a direct entry leaves it where it is, and so does a host process that gives its
// turn away: there it is found again when the same thread goes on. A signal makes the host save it
// in the first signal frame and clear the registers; it is reloaded from there when leaving. In
// other cases the thread's home in the guest kernel's memory has it (Hypercalls::load_vectors).
#include <cstring>

#include "extended-vmm/trap/upcall.h"

extern "C" int load_vectors_now(const void* xsave_area, std::uint64_t features);

namespace extended {
namespace {

/// Where the state is that user mode is to have: newest there.
enum class Place { registers, first_frame, home };
Place place;
void* home;

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
  place = Place::first_frame;
  host_process().vectors_of = nullptr;
}

void save_vectors() {
  if (home == nullptr) return;
  if (place == Place::registers) save_registers(home);
  if (place == Place::first_frame)
    std::memcpy(home, first_frame_vectors(), image().start_info.xsave_bytes);
}

void take_vectors() {
  save_vectors();
  if (place == Place::registers) host_process().vectors_of = home;
  place = Place::home;
}

void load_vectors(void* of, bool written) {
  home = of;
  void*& left = host_process().vectors_of;
  if (written && left == of) left = nullptr;
  if (written) note_other_thread();
  place = of != nullptr && left == of ? Place::registers : Place::home;
}

void put_vectors_in_place() {
  if (place == Place::registers) return;
  const void* from = place == Place::first_frame ? first_frame_vectors() : home;
  place = Place::registers;
  host_process().vectors_of = nullptr;
  // Tampered with, by a program that can only harm itself: it goes on with the initial state.
  if (from == nullptr || !load_registers(from)) load_registers(&initial);
}

}  // namespace extended
