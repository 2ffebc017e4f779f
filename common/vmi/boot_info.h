// Boot information: second page of the window, written by the launcher before the guest kernel's
// first instruction, read-only by convention afterwards.
#pragma once

#include <cstdint>

#include "vmi/address_map.h"

namespace vmi {

/// What the guest kernel is asked to do besides running the program.
enum BootOption : std::uint32_t {
  boot_terminal = 1,        // stdin and stdout are one raw terminal: keep its line discipline
  boot_trace_syscalls = 2,  // print every system call on the error stream
  boot_account = 4,         // keep account of time (vmi/accounts.h); the monitor, too
};

struct BootInfo {
  static constexpr std::uint64_t magic_value = 0x74797065'74776f62;
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t frames;            // page frames of guest RAM
  std::uint32_t boot_tree_frame;   // first frame of the boot tree (see boot_tree.h)
  std::uint32_t boot_tree_frames;  // and how many frames it spans
  std::uint64_t heap_begin;        // kernel heap in the window: [heap_begin, heap_end)
  std::uint64_t heap_end;
  std::uint32_t attic_slabs;  // slabs of the attic (address_map.h), for the kernel heap, too
  std::uint32_t reserved;
  std::uint32_t xsave_bytes;     // size of a thread's vector state (Hypercalls::save_vectors)
  std::uint32_t console_is_tty;  // bit 0 stdin, 1 stdout, 2 stderr
  std::uint32_t options;         // BootOption bits
  std::uint32_t closed_streams;  // bits as above: the program finds these descriptors closed
  std::uint8_t entropy_seed[32];
  std::uint64_t xsave_features;  // the components in it: bits as in XCR0
  std::uint64_t hwcap, hwcap2;   // the host's AT_HWCAP, AT_HWCAP2: the guest passes them on
};

static_assert(sizeof(BootInfo) <= boot_info_bytes);

}  // namespace vmi
