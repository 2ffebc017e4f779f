// prepare_guest: everything that is the same before either monitor starts its guest-machine
// process. Afterwards window and RAM hold all that the guest kernel's first instruction expects.
#include <cpuid.h>
#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "monitor/guest/boot_tree.h"
#include "monitor/guest/memory.h"
#include "monitor/machine/time_scale.h"
#include "monitor/tool/error.h"
#include "monitor/tool/standard_streams.h"
#include "monitor/tool/terminal.h"

namespace monitor {

namespace {

// The tree begins at the first frame: what the guest allocates lies behind it in one piece.
constexpr vmi::Frame boot_tree_frame = 0;

[[noreturn]] void mismatch(const char* image, const char* what) {
  throw HostError(fmt::format("{}: {}; rebuild typetwo", image, what));
}

bool in_image(std::uint64_t address, std::uint64_t begin, std::uint64_t end) {
  return address >= begin && address < end;
}

template <class T>
std::uint64_t address_of(T* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

void check_resident(const GuestMemory& memory) {
  const auto& table = *reinterpret_cast<const vmi::Hypercalls*>(memory.at(vmi::resident_base));
  if (table.magic != vmi::Hypercalls::magic_value) {
    mismatch("resident part", "no hypercall table at its start");
  }
  if (table.version != vmi::vmi_version || table.bytes != sizeof table) {
    mismatch("resident part", "built for another version of the virtual machine interface");
  }
}

void check_kernel(const GuestMemory& memory) {
  const vmi::KernelHeader& kernel = memory.kernel_header();
  if (kernel.magic != vmi::KernelHeader::magic_value) {
    mismatch("guest kernel", "no kernel header at its start");
  }
  if (kernel.version != vmi::vmi_version) {
    mismatch("guest kernel", "built for another version of the virtual machine interface");
  }
  std::uint64_t begin = vmi::kernel_base, end = kernel.image_end;
  if (end <= begin || end > vmi::window_end || !in_image(address_of(kernel.boot), begin, end) ||
      !in_image(address_of(kernel.upcall), begin, end) || kernel.boot_stack_top <= begin ||
      kernel.boot_stack_top > end || kernel.boot_stack_top % 16 != 0) {
    mismatch("guest kernel", "its kernel header points outside of it");
  }
}

struct VectorFeatures {
  std::uint64_t mask;   // as in XCR0
  std::uint32_t bytes;  // in XSAVE's standard layout
};
/// The vector state of guest programs: what the host has enabled, but for AMX's tiles, which a
/// process must ask the host for, and protection keys' rights, which are no guest's to load.
VectorFeatures vector_features() {
  constexpr std::uint64_t tiles = 3ull << 17, key_rights = 1ull << 9;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  const bool known = __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0;
  if (!known || (ecx & bit_OSXSAVE) == 0 || __get_cpuid_max(0, nullptr) < 0xd) {
    throw HostError(
        "this CPU or host does not enable XSAVE, which typetwo needs; use another host");
  }
  asm volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  const std::uint64_t mask = (std::uint64_t{edx} << 32 | eax) & ~(tiles | key_rights);
  constexpr std::uint32_t legacy_and_header = 512 + 64;
  std::uint32_t end = legacy_and_header;
  for (unsigned feature = 2; feature < 63; ++feature) {
    if ((mask >> feature & 1) == 0) continue;
    __cpuid_count(0xd, feature, eax, ebx, ecx, edx);  // size, offset
    end = std::max(end, eax + ebx);
  }
  return {.mask = mask, .bytes = (end + 63) & ~63u};
}

/// Which streams are closed, which are terminals, and the size of one.
void describe_console(vmi::BootInfo& boot, vmi::SharedInfo& shared) {
  for (int stream : {STDERR_FILENO, STDOUT_FILENO, STDIN_FILENO}) {
    if (stream_was_closed(stream)) boot.closed_streams |= 1u << stream;
    if (isatty(stream) == 0) continue;
    boot.console_is_tty |= 1u << stream;
    if (std::uint32_t size = terminal_size(stream)) shared.console_size.store(size);
  }
}

void fill_boot_info(const GuestMemory& memory, const MachineConfig& config,
                    std::uint32_t boot_tree_frames) {
  vmi::BootInfo& boot = *new (&memory.boot_info()) vmi::BootInfo{};
  boot.magic = vmi::BootInfo::magic_value;
  boot.version = vmi::vmi_version;
  boot.frames = static_cast<std::uint32_t>(memory.ram_bytes() >> vmi::page_shift);
  boot.boot_tree_frame = boot_tree_frame;
  boot.boot_tree_frames = boot_tree_frames;
  boot.heap_begin = (memory.kernel_header().image_end + vmi::page_size - 1) & ~(vmi::page_size - 1);
  boot.heap_end = vmi::window_end;
  boot.attic_slabs = memory.attic_slabs();
  const VectorFeatures vectors = vector_features();
  boot.xsave_features = vectors.mask;
  boot.xsave_bytes = vectors.bytes;
  if (getrandom(boot.entropy_seed, sizeof boot.entropy_seed, 0) !=
      static_cast<ssize_t>(sizeof boot.entropy_seed)) {
    throw_errno("cannot get random bytes for the guest");
  }
  if (config.terminal) boot.options |= vmi::boot_terminal;
  if (config.trace_syscalls) boot.options |= vmi::boot_trace_syscalls;
  if (config.account) boot.options |= vmi::boot_account;
  boot.hwcap = getauxval(AT_HWCAP);
  boot.hwcap2 = getauxval(AT_HWCAP2);
}

void fill_shared_info(const GuestMemory& memory) {
  vmi::SharedInfo& shared = *new (&memory.shared_info()) vmi::SharedInfo{};
  shared.magic = vmi::SharedInfo::magic_value;
  shared.version = vmi::vmi_version;
  shared.time = measure_time_scale();
}

}  // namespace

void prepare_guest(GuestMemory& memory, const MachineConfig& config,
                   std::span<const std::byte> resident_elf) {
  memory.load_image(resident_elf, vmi::resident_base, vmi::kernel_base);
  check_resident(memory);
  memory.load_image(kernel_image(), vmi::kernel_base, vmi::window_end);
  check_kernel(memory);

  if (!config.root) throw HostError("no root tree was given; use --root or the standard tree");
  BootTree tree(*config.root, config.argv, config.env);
  tree.write(memory, boot_tree_frame);

  fill_boot_info(memory, config, tree.frames());
  fill_shared_info(memory);
  describe_console(memory.boot_info(), memory.shared_info());
}

}  // namespace monitor
