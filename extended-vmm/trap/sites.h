// trap=direct, inside the resident part: call sites that need no host trap. See sites.cpp.
#pragma once

#include "vmi/hypercalls.h"
#include "vmi/trap_frame.h"

namespace extended {

/// A system call trapped. Should its site be patched now? Then `frame` goes back to before the
/// call, as an upcall that asks the guest kernel for the page of text: the patched site makes it
/// again.
bool offer_site(vmi::TrapFrame& frame);
/// Hypercalls.
bool may_rewrite(std::uint64_t va, vmi::Frame frame, vmi::Frames pages);
bool patch_text(vmi::TextOffer offer, vmi::Frame frame);
void restore_text(std::uint64_t va, vmi::Frame frame, vmi::Frames pages);
void forget_text();
/// A signal that may come anywhere stopped guest code, perhaps on the way from a patched site: then
/// it goes back to the `syscall` instruction there.
void leave_trampoline(vmi::TrapFrame& frame);

}  // namespace extended
