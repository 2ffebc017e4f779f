// The trampolines of patched call sites (patched_site.h): two hash tables, one for each area, of
// 1 920 and 16 384 that user code executes and only the monitor writes. They lie outside the window
// (vmi::trampolines_offset) and are read and written through the memfd. Nothing leaves them one by
// one: when there is no room all code is restored and they begin anew (Hypercalls::restore_text),
// so what is used comes back and what is not does not. Kernel mode, when a site is patched and when
// a signal finds code on the way from one.
#pragma once

#include "extended-vmm/trap/patched_site.h"

namespace extended {

/// Empties all, and maps them where patched code can reach them. Once, at the start.
void map_trampolines();
/// The host allowed their mapping in low memory.
bool have_low_trampolines();

/// See ReadTrampoline.
[[gnu::visibility("hidden")]]  // its address is taken, and there is no table of addresses
bool read_trampoline(std::uint32_t index, Trampoline& trampoline);
/// Where among `places` this very trampoline is, or will be when it is written; most_trampolines:
/// there is no room.
std::uint32_t place_of(const Trampoline& trampoline, Places places);
void write_trampoline(std::uint32_t index, const Trampoline& trampoline);
/// None is used any more: there must be no jump to any.
void empty_trampolines();

}  // namespace extended
