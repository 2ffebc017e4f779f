// The attic (vmi/address_map.h) under protect=mprotect; under the others it is there with the
// window. A slab is mapped in a host process when the kernel first needs it there, and is open from
// then on until that process leaves for user mode; later openings and all closings are one mprotect
// each. What is open is written down for each host process: a parked one may have open slabs, which
// it closes when it leaves, and a new one has its maker's.
//
// Opened by the hypercall, by a page fault in kernel mode (trap/nested.cpp), and before the host is
// handed a pointer into it. Nothing that is touched between the closing and in_kernel = 0, nor
// while signals are blocked for a hand-over, may lie here; kernel stacks never do.
#include <asm/errno.h>
#include <asm/unistd_64.h>
#include <linux/mman.h>

#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1; Debian 12's headers are older than its kernel
#endif

namespace extended {
namespace {

constexpr std::uint64_t read_write = PROT_READ | PROT_WRITE;

/// Slabs that the host has been asked to collapse into pages of 2 MiB; has it none, so be it: those
/// of 4 KiB make a pair of mprotect calls dear.
std::uint64_t collapsed;

constexpr std::uint64_t bit(std::uint32_t slab) {
  return std::uint64_t{1} << slab;
}
static_assert(vmi::attic_slabs_max <= 64);

std::int64_t map_slab(std::uint64_t address) {
  return counted_host(__NR_mmap, address, vmi::attic_slab_bytes, read_write, MAP_SHARED | MAP_FIXED,
                      monitor::guest_memory_fd, address - vmi::window_base);
}

/// Guest programs can use up the mappings that a host process may have. Theirs come back by faults.
void make_room_for_mappings() {
  sure("munmap", counted_host(__NR_munmap, vmi::user_begin, vmi::user_end - vmi::user_begin));
}

void collapse(std::uint32_t slab) {
  if ((collapsed & bit(slab)) != 0) return;
  const std::int64_t result =
      counted_host(__NR_madvise, vmi::attic_slab(slab), vmi::attic_slab_bytes, MADV_COLLAPSE);
  // A busy page makes an attempt fail now and then: the next host process makes another.
  if (result != -EAGAIN && result != -EBUSY) collapsed |= bit(slab);
}

/// The first time in this host process.
void map_first(std::uint32_t slab) {
  const std::uint64_t address = vmi::attic_slab(slab);
  std::int64_t mapped = map_slab(address);
  if (mapped == -ENOMEM) {
    make_room_for_mappings();
    mapped = map_slab(address);
  }
  sure("mmap", mapped);
  collapse(slab);
}

bool has_attic(std::uint64_t address, std::uint64_t bytes) {
  const StartInfo& start = image().start_info;
  return start.protection.attic_by_slab && vmi::is_in_attic(address, bytes, start.attic_slabs);
}

}  // namespace

bool open_slab_of(std::uint64_t address) {
  if (!has_attic(address, 1)) return false;
  const std::uint32_t slab = vmi::attic_slab_of(address);
  AtticState& attic = host_process().attic;
  if ((attic.open & bit(slab)) != 0) return false;
  if ((attic.mapped & bit(slab)) == 0)
    map_first(slab);
  else
    sure("mprotect",
         counted_host(__NR_mprotect, vmi::attic_slab(slab), vmi::attic_slab_bytes, read_write));
  attic.mapped |= bit(slab);
  attic.open |= bit(slab);
  return true;
}

void open_attic(const void* begin, std::uint64_t bytes) {
  const auto address = reinterpret_cast<std::uint64_t>(begin);
  if (has_attic(address, bytes) && open_slab_of(address)) ++shared_info().counters.attic_openings;
}

void close_attic() {
  std::uint64_t& open = host_process().attic.open;
  while (open != 0) {
    const auto slab = static_cast<std::uint32_t>(__builtin_ctzll(open));
    sure("mprotect",
         counted_host(__NR_mprotect, vmi::attic_slab(slab), vmi::attic_slab_bytes, PROT_NONE));
    open &= open - 1;
  }
}

}  // namespace extended
