// The host's signal frame: how registers and vector state of guest user code come and go. The host
// writes a genuine frame on the alternate stack at each upcall and takes it back by rt_sigreturn;
// in between only this file touches it. The alternate stack is the guest user's to write: the frame
// is copied into the window before anything in it is believed, and the copy is what goes back. The
// vector state alone stays there. Nobody here believes it, and the host checks what it loads.
#include "baseline-vmm/resident/resident.h"
#include "monitor/resident/segment_bases.h"

namespace baseline {

/// The host's struct ucontext (x86-64), as the kernel lays it.
struct SignalFrame {
  std::uint64_t flags;
  std::uint64_t link;
  std::uint64_t stack_pointer, stack_flags, stack_size;
  std::uint64_t registers[18];  // in the order of vmi::TrapFrame
  std::uint16_t cs, gs, fs, ss;
  std::uint64_t error, vector, old_mask, fault_address;
  std::byte* vectors;  // XSAVE area
  std::uint64_t reserved[8];
  std::uint64_t blocked_signals;
};

namespace {

// Within the XSAVE area: where the host says how long it is, and the header behind the legacy
// region.
constexpr std::uint64_t software_xsave_bytes = 464 + 16;
constexpr std::uint64_t header = 512, header_bytes = 64;

SignalFrame* place;   // on the alternate stack
SignalFrame current;  // the copy
void* vectors_home;   // of the thread whose vector state is in `current`

bool on_alternate_stack(const void* address, std::uint64_t bytes) {
  auto at = reinterpret_cast<std::uint64_t>(address);
  return at >= vmi::alt_stack_base && at <= vmi::alt_stack_base + vmi::alt_stack_size &&
         bytes <= vmi::alt_stack_base + vmi::alt_stack_size - at;
}

/// Bytes of vector state in the frame: what the host saved, at most what the guest kernel keeps.
std::uint64_t vector_bytes() {
  std::uint32_t saved;
  copy_bytes(&saved, current.vectors + software_xsave_bytes, sizeof saved);
  return saved < boot_info().xsave_bytes ? saved : boot_info().xsave_bytes;
}

}  // namespace

void adopt_frame(SignalFrame* frame) {
  if (!on_alternate_stack(frame, sizeof *frame))
    panic("baseline: signal frame outside of the alternate stack");
  place = frame;
  copy_bytes(&current, frame, sizeof current);
  if (!on_alternate_stack(current.vectors, header + header_bytes) ||
      !on_alternate_stack(current.vectors, vector_bytes()))
    panic("baseline: vector state outside of the alternate stack");
}

SignalFrame* give_frame_back() {
  copy_bytes(place, &current, sizeof current);
  return place;
}

void frame_to_trap(vmi::TrapFrame& trap) {
  copy_bytes(&trap, current.registers, sizeof current.registers);
  trap.cs = current.cs;
  trap.ss = current.ss;
  trap.fs_base = monitor::read_fs_base();
  trap.gs_base = monitor::read_gs_base();
}

void trap_to_frame(const vmi::TrapFrame& trap) {
  copy_bytes(current.registers, &trap, sizeof current.registers);
  current.registers[17] = (trap.rflags & vmi::rflags_user) | vmi::rflags_fixed;
  current.cs = trap.cs == vmi::user_cs32 ? vmi::user_cs32 : vmi::user_cs;
  current.ss = vmi::user_ss;
  monitor::write_fs_base(trap.fs_base);
  monitor::write_gs_base(trap.gs_base);
}

HardwareTrap frame_hardware_trap() {
  return {current.vector, current.error, current.fault_address};
}

void save_vectors() {
  copy_bytes(vectors_home, current.vectors, vector_bytes());
}

void load_vectors(void* home, bool) {
  vectors_home = home;
  if (home != nullptr) copy_bytes(current.vectors, home, vector_bytes());
}

static_assert(offsetof(SignalFrame, registers) == 40 && offsetof(SignalFrame, cs) == 184);
static_assert(offsetof(SignalFrame, vectors) == 224 && sizeof(SignalFrame) == 304);

}  // namespace baseline
