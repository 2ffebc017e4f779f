// Inside the resident part: what its files share. It is freestanding code in the window of the
// guest-machine process, always in kernel mode, on a kernel stack of the guest; it has no state
// but what is named here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "baseline-vmm/resident_header.h"
#include "monitor/resident/host_call.h"
#include "monitor/resident/window.h"

namespace baseline {

extern "C" {
void vmm_call(VmmCall call, std::uint64_t a0 = 0, std::uint64_t a1 = 0);
[[noreturn]] void leave_by(void* ucontext, std::uint64_t gate_leave, std::uint64_t flags);
std::uint64_t guarded_copy(void* to, const void* from, std::uint64_t bytes);
extern std::uint64_t upcall_stack;
}

extern ResidentHeader resident_header;

using monitor::accounts;
using monitor::boot_info;
using monitor::kernel;
using monitor::shared_info;
using monitor::time_accounts;

/// The direct map of guest RAM: open with the window, by the same host call.
inline std::byte* frame_address(vmi::Frame frame, vmi::Bytes offset = {}) {
  return reinterpret_cast<std::byte*>(vmi::ram_base) +
         (bytes_of(vmi::Frames(frame)) + offset).number;
}

inline void copy_bytes(void* to, const void* from, std::uint64_t bytes) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}
inline void zero_bytes(void* to, std::uint64_t bytes) {
  asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(0) : "memory");
}

// upcall.cpp
[[noreturn]] void return_to_user(vmi::TrapFrame* frame);

// frame.cpp: the host's signal frame on the alternate stack.
struct SignalFrame;
/// Takes a copy of the frame of this upcall; called first.
void adopt_frame(SignalFrame* frame);
void frame_to_trap(vmi::TrapFrame& trap);
void trap_to_frame(const vmi::TrapFrame& trap);
struct HardwareTrap {
  std::uint64_t vector, error_code, fault_address;
};
HardwareTrap frame_hardware_trap();
/// The copy goes back to where the frame was: there.
SignalFrame* give_frame_back();
void save_vectors();
void load_vectors(void* home, bool written);

// memory.cpp
std::int64_t map(std::uint64_t va, vmi::Frame frame, vmi::Frames count, std::uint32_t protection,
                 std::uint32_t flags);
std::int64_t unmap(std::uint64_t va, vmi::Pages pages);
std::int64_t protect(std::uint64_t va, vmi::Pages pages, std::uint32_t protection);
vmi::Bytes copy_frame_to_user(vmi::Frame frame, vmi::Bytes offset, std::uint64_t va,
                              vmi::Bytes bytes);
vmi::Bytes copy_user_to_frame(vmi::Frame frame, vmi::Bytes offset, std::uint64_t va,
                              vmi::Bytes bytes);
void zero_frames(vmi::Frame frame, vmi::Frames count);
void copy_frames(vmi::Frame to, vmi::Frame from, vmi::Frames count);
void peek_frame(vmi::Frame frame, vmi::Bytes offset, void* to, vmi::Bytes bytes);
void poke_frame(vmi::Frame frame, vmi::Bytes offset, const void* from, vmi::Bytes bytes);

// spaces.cpp
std::int64_t create_space(vmi::SpaceId id);
void destroy_space(vmi::SpaceId id);
void switch_space(vmi::SpaceId id, const vmi::Extent* extents);

// hypercalls.cpp
[[noreturn]] void panic(const char* message);

}  // namespace baseline
