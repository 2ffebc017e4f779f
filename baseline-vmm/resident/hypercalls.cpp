// The hypercall table, at the start of the image, and the hypercalls that are requests to the VMM
// process: it serves them while this process is stopped at the entry of a VMM call.
#include "baseline-vmm/resident/resident.h"

namespace baseline {

namespace {

void idle() {
  vmi::Charged charged(time_accounts(), vmi::account_idle);
  vmm_call(VmmCall::idle);
}

[[noreturn]] void shutdown(std::int32_t wait_status) {
  if (auto* time = time_accounts()) time->charge(vmi::account_kernel);
  for (;;) vmm_call(VmmCall::shutdown, static_cast<std::uint32_t>(wait_status));
}

std::uint64_t device_read(std::uint32_t address) {
  vmi::Charged charged(time_accounts(), vmi::account_devices);
  vmm_call(VmmCall::device_read, address);
  return resident_header.mailbox.result;
}

void device_write(std::uint32_t address, std::uint64_t value) {
  vmi::Charged charged(time_accounts(), vmi::account_devices);
  vmm_call(VmmCall::device_write, address, value);
}

}  // namespace

void panic(const char* message) {
  for (;;) vmm_call(VmmCall::panic, reinterpret_cast<std::uint64_t>(message));
}

extern "C" {
extern const char start_entry[], start_stack[], upcall_entry[], host_call_ip[], vmm_call_ip[];
}

[[gnu::section(".header")]] ResidentHeader resident_header = {
    .hypercalls = {
        .magic = vmi::Hypercalls::magic_value,
        .version = vmi::vmi_version,
        .bytes = sizeof(vmi::Hypercalls),
        .create_space = create_space,
        .destroy_space = destroy_space,
        .switch_space = switch_space,
        .map = map,
        .unmap = unmap,
        .protect = protect,
        .copy_frame_to_user = copy_frame_to_user,
        .copy_user_to_frame = copy_user_to_frame,
        .zero_frames = zero_frames,
        .copy_frames = copy_frames,
        .peek_frame = peek_frame,
        .poke_frame = poke_frame,
        // Never offered: this monitor rewrites no code.
        .patch_text = [](vmi::TextOffer, vmi::Frame) { return true; },
        .may_rewrite = [](std::uint64_t, vmi::Frame, vmi::Frames) { return true; },
        .restore_text = [](std::uint64_t, vmi::Frame, vmi::Frames) {},
        .forget_text = [] {},
        // Open with the window.
        .open_attic = [](const void*, std::uint64_t) {},
        .return_to_user = return_to_user,
        .idle = idle,
        .save_vectors = save_vectors,
        .load_vectors = load_vectors,
        .shutdown = shutdown,
        .panic = panic,
        .device_read = device_read,
        .device_write = device_write,
    },
    .mailbox = {},
    .start = reinterpret_cast<std::uint64_t>(start_entry),
    .start_stack = reinterpret_cast<std::uint64_t>(start_stack),
    .upcall = reinterpret_cast<std::uint64_t>(upcall_entry),
    .host_call_ip = reinterpret_cast<std::uint64_t>(host_call_ip),
    .vmm_call_ip = reinterpret_cast<std::uint64_t>(vmm_call_ip),
    .gate_leave = 0,
};

}  // namespace baseline
