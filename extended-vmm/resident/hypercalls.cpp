// The resident image's first page: the hypercall table, and the control hypercalls.
#include <asm/unistd_64.h>

#include <new>

#include "extended-vmm/resident/host.h"
#include "extended-vmm/trap/sites.h"
#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"

extern "C" {
extern const char entry_stack_top[], host_call_ip[], signal_return_ip[];
void signal_entry();
void direct_entry();
void not_closed();
void signal_return();
void resident_start();
}

namespace extended {
namespace {

alignas(Host) unsigned char host_storage[sizeof(Host)];
alignas(devices::Machine) unsigned char machine_storage[sizeof(devices::Machine)];

Host& host() {
  return *reinterpret_cast<Host*>(host_storage);
}

[[noreturn]] void shutdown(std::int32_t wait_status) {
  while (machine().output_blocked()) {
    wait_for_host(host(), machine().waits());
    machine().poll();
  }
  if (auto* time = time_accounts()) time->charge(vmi::account_kernel);
  image().report.wait_status = wait_status;
  image().report.ending = Ending::shutdown;
  end_machine(0);
}

/// The registers as they are here; the unwinder finds the guest kernel's callers from them.
[[noreturn]] void panic(const char* message) {
  DeathRegisters r{};
  asm volatile("lea (%%rip), %0" : "=r"(r.rip));
  asm volatile("mov %%rsp, %0\n mov %%rbp, %1\n mov %%rbx, %2"
               : "=m"(r.rsp), "=m"(r.rbp), "=m"(r.rbx));
  asm volatile("mov %%r12, %0\n mov %%r13, %1\n mov %%r14, %2\n mov %%r15, %3"
               : "=m"(r.r12), "=m"(r.r13), "=m"(r.r14), "=m"(r.r15));
  die(message, r);
}

void idle() {
  machine().poll();
  if (shared_info().pending.load(std::memory_order_relaxed) != 0) return;
  wait_for_host(host(), machine().waits());
  machine().poll();
}

std::uint64_t device_read(std::uint32_t address) {
  return machine().read(address);
}
void device_write(std::uint32_t address, std::uint64_t value) {
  machine().write(address, value);
}

}  // namespace

[[gnu::section(".image"), gnu::used]] constinit ResidentImage resident_image = {
    .hypercalls = {.magic = vmi::Hypercalls::magic_value,
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
                   .patch_text = patch_text,
                   .may_rewrite = may_rewrite,
                   .restore_text = restore_text,
                   .forget_text = forget_text,
                   .open_attic = open_attic,
                   .return_to_user = return_to_user,
                   .idle = idle,
                   .save_vectors = save_vectors,
                   .load_vectors = load_vectors,
                   .shutdown = shutdown,
                   .panic = panic,
                   .device_read = device_read,
                   .device_write = device_write},
    .start = resident_start,
    .start_stack = entry_stack_top,
    .signal_entry = signal_entry,
    .direct_entry = direct_entry,
    .not_closed = not_closed,
    .signal_return = signal_return,
    .signal_return_ip = signal_return_ip,
    .host_call_ip = host_call_ip,
    .start_info = {},
    .report = {},
    .members = {.made = 1,
                .running = 0,
                .table = {{.turn = turn_at_work, .pid = 0, .parking_stack = {}}}},
    .questions = {}};

ResidentImage& image() {
  return resident_image;
}
devices::Machine& machine() {
  return *reinterpret_cast<devices::Machine*>(machine_storage);
}

void build_machine() {
  auto* host = new (host_storage) Host;
  const StartInfo& start = image().start_info;
  const devices::Disk disk{.image = monitor::guest_block_fd,
                           .bytes = start.block_bytes,
                           .read_only = start.block_read_only != 0,
                           .memory = monitor::guest_memory_fd,
                           .memory_bytes = vmi::ram_offset + start.ram_bytes};
  const devices::SocketBells bells =
      start.has_sockets != 0 ? devices::SocketBells{.doorbell = monitor::guest_doorbell_fd,
                                                    .wake = monitor::guest_awake_fd}
                             : devices::SocketBells{};
  new (machine_storage) devices::Machine(*host, disk, bells, image().report.markers, shared_info(),
                                         *reinterpret_cast<vmi::Rings*>(vmi::rings_base));
}

/// Nothing to unwind from: the message says it.
extern "C" [[noreturn]] void die_of_host_call(const char* call, std::int64_t result) {
  auto& report = image().report;
  static_assert(sizeof report.message >= monitor::failure_bytes);
  monitor::describe_failure(report.message, call, result);
  report.ending = Ending::death;
  end_machine(1);
}

[[noreturn]] void die(const char* message, const DeathRegisters& registers) {
  auto& report = image().report;
  std::size_t i = 0;
  for (; message[i] != '\0' && i + 1 < sizeof report.message; ++i) report.message[i] = message[i];
  report.message[i] = '\0';
  report.registers = registers;
  report.ending = Ending::death;
  end_machine(1);
}

}  // namespace extended
