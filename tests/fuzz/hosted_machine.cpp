// See hosted_machine.h. The host's own stack is where user mode would be: the kernel leaves to it
// by switch_context, as the monitor would leave by iretq, and is entered on the empty stack below
// the frame, as the monitor would.
#include "tests/fuzz/hosted_machine.h"

#include <sanitizer/asan_interface.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "guest/boot/layers.h"
#include "guest/exec/first_process.h"
#include "guest/fs/root/boot_mount.h"
#include "guest/heap/string.h"
#include "guest/mm/frames.h"
#include "guest/proc/process.h"
#include "guest/sched/kernel_stack.h"
#include "guest/trap/upcall.h"
#include "vmi/boot_tree.h"

extern "C" void switch_context(std::uint64_t* save_sp, std::uint64_t load_sp);

/// The sanitizer would clear what it knows of a stack before a call that does not come back, but
/// knows only the host's own one. Nothing here is left by a throw, and enter() clears the others.
extern "C" void __asan_handle_no_return() {}
/// And undefined behaviour ends a round.
extern "C" const char* __ubsan_default_options() {
  return "halt_on_error=1:print_stacktrace=1";
}

namespace fuzz {

namespace {

HostedMachine* machine = nullptr;

constexpr vmi::Frame tree_frame = 8;
constexpr guest::FrameRun tree_run{tree_frame, guest::Frames(1 + HostedMachine::text_pages)};
constexpr std::uint64_t soon = 10'000'000'000;  // a sleep that is waited for
constexpr int most_idle = 1000;
constexpr std::size_t boot_stack_bytes = 1 << 20;

/// A stack that begins with a call of `function`, ending below `top`.
std::uint64_t stack_for(std::uint64_t top, void (*function)()) {
  std::uint64_t words[8] = {0, 0, 0, 0, 0, 0, reinterpret_cast<std::uint64_t>(function), 0};
  std::memcpy(reinterpret_cast<void*>(top - sizeof words), words, sizeof words);
  return top - sizeof words;
}

}  // namespace

HostedMachine::HostedMachine(std::uint32_t frames)
    : platform(frames), boot_stack_(boot_stack_bytes) {
  machine = this;
  auto& calls = platform.hypercalls;
  calls.return_to_user = [](vmi::TrapFrame* frame) {
    machine->frame_ = machine->platform.shared_info.current_frame = frame;
    machine->leave("");
  };
  calls.shutdown = [](std::int32_t) { machine->leave("shutdown"); };
  calls.panic = [](const char* message) { machine->leave(std::string("panic: ") + message); };
  calls.idle = [] { machine->idle(); };
  calls.device_write = [](std::uint32_t address, std::uint64_t) { machine->device_write(address); };
  platform.device_values[vmi::console_place.bus_base + vmi::console_in_state] = 1;
  platform.device_values[vmi::entropy_place.bus_base] = 0x123456789abcdef;
  platform.shared_info.time = {};  // ticks take no time
  advance(1'000'000'000);
}

HostedMachine::~HostedMachine() {
  platform.mapping_calls_left = platform.heap_allocations_left = -1;
}

std::vector<std::uint8_t> HostedMachine::program() {
  struct {
    std::uint8_t identity[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    std::uint16_t type = 2, machine = 62;
    std::uint32_t version = 1;
    std::uint64_t entry = text, program_headers = 64, section_headers = 0;
    std::uint32_t flags = 0;
    std::uint16_t header_bytes = 64, program_header_bytes = 56, program_header_count = 1;
    std::uint16_t section_header_bytes = 0, section_header_count = 0, section_names = 0;
    std::uint32_t segment_type = 1, segment_flags = 5;
    std::uint64_t offset = 0, va = text, physical = 0, file_bytes = text_pages * vmi::page_size,
                  memory_bytes = text_pages * vmi::page_size, alignment = vmi::page_size;
  } header;
  std::vector<std::uint8_t> file(text_pages * vmi::page_size, 0xcc);
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

void HostedMachine::lay_boot_tree() {
  struct {
    vmi::BootTreeHeader header{};
    vmi::BootTreeEntry entries[10]{};
    char strings[96] = "\0bin\0p\0dev\0null\0zero\0full\0random\0tmp\0proc\0fuzz\0/bin/p";
  } tree;
  using namespace guest;
  constexpr std::uint32_t folder = mode_directory | 0777, device = mode_character | 0666;
  tree.entries[0] = {0, folder, 0, 0, 0, 0, 0, 0};
  tree.entries[1] = {0, folder, 0, 0, 0, 0, 1, 0};
  tree.entries[2] = {1, mode_regular | 0755, 0, 0, text_pages * vmi::page_size, 0, 5, 1};
  tree.entries[3] = {0, folder, 0, 0, 0, 0, 7, 0};
  tree.entries[4] = {3, device, 0, 0, 0, 0, 11, 0x103};
  tree.entries[5] = {3, device, 0, 0, 0, 0, 16, 0x105};
  tree.entries[6] = {3, device, 0, 0, 0, 0, 21, 0x107};
  tree.entries[7] = {3, device, 0, 0, 0, 0, 26, 0x108};
  tree.entries[8] = {0, folder, 0, 0, 0, 0, 33, 0};
  tree.entries[9] = {0, folder, 0, 0, 0, 0, 42, 0};
  tree.header = {.magic = vmi::BootTreeHeader::magic_value,
                 .version = vmi::vmi_version,
                 .entries = 10,
                 .strings_offset = offsetof(decltype(tree), strings),
                 .strings_bytes = sizeof tree.strings,
                 .argv_offset = 47,
                 .envp_offset = 54,
                 .argc = 1,
                 .envc = 0,
                 .total_bytes = bytes_of(tree_run.count).number};
  std::memcpy(platform.frame(tree_frame), &tree, sizeof tree);
  const auto file = program();
  std::memcpy(platform.frame(tree_frame + 1), file.data(), file.size());
}

void HostedMachine::boot() {
  guest::frames_init(
      guest::Frames(static_cast<std::uint32_t>(platform.ram.size() / vmi::page_size)), tree_run);
  lay_boot_tree();
  platform.device_values[vmi::block_place.bus_base + vmi::block_bytes] = disk.size();
  const auto top = reinterpret_cast<std::uint64_t>(boot_stack_.data() + boot_stack_.size());
  run(stack_for(top & ~63ull, start_kernel));
}

void HostedMachine::start_kernel() {
  guest::connect_layers();
  guest::Vec<guest::String> argv, envp;
  if (!guest::mount_boot_tree(tree_run, argv, envp).ok())
    machine->leave("the root cannot be mounted");
  guest::start_first_process(argv, envp);
}

void HostedMachine::enter(vmi::Upcall kind) {
  frame_->kind = kind;
  const auto top = reinterpret_cast<std::uint64_t>(frame_);
  // What lay on this stack is dead, and so is what the sanitizer knows of it.
  const std::uint64_t bottom = top + sizeof *frame_ - guest::kernel_stack_allocated;
  __asan_unpoison_memory_region(reinterpret_cast<void*>(bottom), top - bottom);
  run(stack_for(top, enter_kernel));
}

void HostedMachine::run(std::uint64_t stack_pointer) {
  inside_ = true;
  idle_ = 0;
  switch_context(&host_sp_, stack_pointer);
  inside_ = false;
}

void HostedMachine::enter_kernel() {
  guest::handle_upcall(machine->frame_);
}

void HostedMachine::leave(const std::string& end) {
  std::uint64_t dead = 0;
  if (!inside_) {  // in a function of the kernel that its user called
    std::fprintf(stderr, "%s\n", end.c_str());
    std::abort();
  }
  if (!end.empty()) end_ = end;
  switch_context(&dead, host_sp_);
  __builtin_unreachable();
}

void HostedMachine::advance(std::uint64_t ns) {
  auto& shared = platform.shared_info;
  shared.time.monotonic_ns += ns;
  shared.time.realtime_ns += ns;
  const std::uint64_t deadline = shared.timer_deadline;
  if (deadline == 0 || deadline > shared.time.monotonic_ns) return;
  shared.timer_deadline = 0;
  shared.pending |= 1u << vmi::irq_timer;
}

void HostedMachine::idle() {
  auto& shared = platform.shared_info;
  if (shared.pending) return;
  // A timer may go off for ever without anybody's notice.
  if (++idle_ > most_idle) {
    if (idle_ > 2 * most_idle) leave("panic: nobody runs any more");
    return on_deadlock();
  }
  const std::uint64_t deadline = shared.timer_deadline, now = shared.time.monotonic_ns;
  if (deadline == 0 || deadline > now + soon) return on_deadlock();
  advance(deadline > now ? deadline - now : 0);
}

void HostedMachine::device_write(std::uint32_t address) {
  auto& rings = platform.rings;
  switch (address) {
    case vmi::console_place.bus_base + vmi::console_flush_out:
      rings.console_out.tail = rings.console_out.head;
      break;
    case vmi::console_place.bus_base + vmi::console_flush_err:
      rings.console_err.tail = rings.console_err.head;
      break;
    case vmi::marker_place.bus_base + vmi::marker_commit:
      rings.marker.tail = rings.marker.head;
      break;
    case vmi::block_place.bus_base + vmi::block_doorbell:
      serve_disk();
      break;
    default:
      break;
  }
}

void HostedMachine::serve_disk() {
  vmi::BlockRequest& request = platform.rings.block;
  request.status = -5;  // EIO
  if (disk_requests_left == 0) {
    disk_requests_left = -1;
    return;
  }
  if (disk_requests_left > 0) --disk_requests_left;
  if (request.offset > disk.size() || request.bytes > disk.size() - request.offset)
    return leave("an access outside of the disk");
  // A frame's place in guest memory; or, as there is no window here, a pointer less its address.
  std::uint8_t* memory =
      request.memory >= vmi::ram_offset && request.memory - vmi::ram_offset < platform.ram.size()
          ? &platform.ram[request.memory - vmi::ram_offset]
          : reinterpret_cast<std::uint8_t*>(request.memory + vmi::window_base);
  std::uint8_t* image = disk.data() + request.offset;
  if (request.operation == vmi::block_read) std::memcpy(memory, image, request.bytes);
  if (request.operation == vmi::block_write) std::memcpy(image, memory, request.bytes);
  request.status = 0;
}

std::vector<const guest::AddressSpace*> HostedMachine::spaces() {
  std::vector<const guest::AddressSpace*> all;
  auto add = [&](const guest::AddressSpace* space) {
    for (const auto* known : all)
      if (known == space) return;
    if (space) all.push_back(space);
  };
  add(guest::AddressSpace::current());
  for (guest::Process& process : guest::processes.all()) add(process.space.get());
  return all;
}

}  // namespace fuzz
