// The resident part's first instructions: entered once by the launched process, which still has
// all of the launcher's memory around it, on the entry stack, window open, filter installed.
#include <asm/unistd_64.h>

#include <utility>

#include "extended-vmm/trap/trampolines.h"
#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"
#include "monitor/resident/unmap_host.h"

extern "C" [[noreturn]] void first_trap();

namespace extended {

void build_machine();

/// A tick for each 10 ms of the process's CPU time, so that an idle guest is silent, and so are the
/// processes of a pool that are not running.
void start_ticks() {
  if (std::exchange(host_process().ticks, true)) return;
  constexpr int itimer_prof = 2;
  constexpr std::int64_t tick_us = 10'000;
  const std::int64_t timer[4] = {0, tick_us, 0, tick_us};  // interval, then value; s, us each
  sure("setitimer", counted_host(__NR_setitimer, itimer_prof, timer, nullptr));
}

extern "C" [[noreturn]] void resident_start() {
  const StartInfo& start = image().start_info;
  shared_info().in_kernel.store(1, std::memory_order_relaxed);
  image().report.start_tsc = __builtin_ia32_rdtsc();
  const bool ram_stays = start.protection.window == Window::stays_open;
  if (!monitor::unmap_host(ram_stays ? vmi::ram_base + start.ram_bytes : vmi::window_end))
    die("host call munmap failed on the host's own memory (sealed system mappings?)", {});
  if (start.protection.window == Window::is_mapped) {
    // From now on as after every opening: attic and RAM behind the window.
    sure("mmap", counted_host(__NR_mmap, vmi::window_base, vmi::ram_offset + start.ram_bytes, 7,
                              0x11, monitor::guest_memory_fd, 0));
  }
  if (start.trap == Trap::direct) map_trampolines();
  build_machine();
  set_up_accounts();
  arm_signal_stack();
  start_ticks();
  shared_info().in_kernel.store(0, std::memory_order_relaxed);
  first_trap();
}

}  // namespace extended
