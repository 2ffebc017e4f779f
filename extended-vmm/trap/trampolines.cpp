// See trampolines.h. A trampoline is looked for on the page that its return address hashes to, and
// on the next few if that one is full; a page fills from its begin.
#include "extended-vmm/trap/trampolines.h"

#include <asm/unistd_64.h>

#include <cstring>

#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"

namespace extended {
namespace {

constexpr std::uint32_t on_page = vmi::page_size / sizeof(Trampoline);
/// All of the low ones; of the others so many that nearly all are used before there is no room.
constexpr std::uint32_t pages_searched = 15;

/// What is not used stops whoever jumps there.
constexpr unsigned char unused = 0xcc;

bool low;

alignas(vmi::page_size) unsigned char scratch[vmi::page_size];

/// Window memory to or from the memfd, whole: the host never stops a transfer between them.
template <std::uint64_t call>
void transfer(const void* memory, std::uint64_t bytes, std::uint32_t index) {
  const std::int64_t moved = counted_host(call, monitor::guest_memory_fd, memory, bytes,
                                          vmi::trampolines_offset + index * sizeof(Trampoline));
  if (moved != static_cast<std::int64_t>(bytes))
    die_of_host_call(call == __NR_pread64 ? "pread64" : "pwrite64", moved);
}

bool is_used(const Trampoline& trampoline) {
  return trampoline.load.code[0] != unused;
}

}  // namespace

void map_trampolines() {
  constexpr std::uint64_t read_execute = 5, shared_fixed = 0x11;
  empty_trampolines();
  const auto map = [](const vmi::TrampolineArea& area) {
    return counted_host(__NR_mmap, area.base, area.bytes, read_execute, shared_fixed,
                        monitor::guest_memory_fd, area.offset);
  };
  // Where the host allows no mapping so low, code in low memory goes on trapping.
  low = map(vmi::trampoline_areas[0]) >= 0;
  sure("mmap", map(vmi::trampoline_areas[1]));
}

bool have_low_trampolines() {
  return low;
}

bool read_trampoline(std::uint32_t index, Trampoline& trampoline) {
  transfer<__NR_pread64>(scratch, sizeof trampoline, index);
  std::memcpy(static_cast<void*>(&trampoline), scratch, sizeof trampoline);
  return is_used(trampoline);
}

std::uint32_t place_of(const Trampoline& wanted, Places places) {
  const std::uint32_t pages = places.count / on_page;
  const auto home = static_cast<std::uint32_t>(wanted.return_address * 0x9e3779b97f4a7c15 >> 40);
  for (std::uint32_t i = 0; i < pages_searched; ++i) {
    const std::uint32_t first = places.first + (home + i) % pages * on_page;
    transfer<__NR_pread64>(scratch, sizeof scratch, first);
    for (std::uint32_t at = 0; at < on_page; ++at) {
      const unsigned char* found = scratch + at * sizeof wanted;
      if (*found == unused || std::memcmp(found, &wanted, sizeof wanted) == 0) return first + at;
    }
  }
  return most_trampolines;
}

void write_trampoline(std::uint32_t index, const Trampoline& trampoline) {
  std::memcpy(scratch, &trampoline, sizeof trampoline);
  transfer<__NR_pwrite64>(scratch, sizeof trampoline, index);
}

void empty_trampolines() {
  std::memset(scratch, unused, sizeof scratch);
  for (std::uint32_t first = 0; first < most_trampolines; first += on_page)
    transfer<__NR_pwrite64>(scratch, sizeof scratch, first);
}

}  // namespace extended
