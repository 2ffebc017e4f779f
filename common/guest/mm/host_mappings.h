// What the host has mapped of the current address space, and all that may change it. Called by
// AddressSpace with its extents at hand; kernel mode.
//
// The host's mappings are to the extents what a TLB is to page tables: they may have less, as a
// fault maps a page again (AddressSpace::map_again), but never more. A host refuses a change when
// it has no room for another mapping, and may have made a part of it by then. So after a refusal
// all is taken away, which needs no room, and the extents are right whatever they say.
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/mm/frames.h"

namespace guest {

/// `flags` are vmi::MapFlags. ENOMEM: the host maps nothing at all now.
Result<> host_map(std::uint64_t va, FrameRun run, std::uint32_t protection, std::uint32_t flags);
void host_unmap(std::uint64_t begin, std::uint64_t end);
/// Protects what is mapped of the range.
void host_protect(std::uint64_t begin, std::uint64_t end, std::uint32_t protection);

}  // namespace guest
