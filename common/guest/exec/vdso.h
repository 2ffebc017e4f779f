// The vDSO's pages: made once at boot from the shared object in guest/vdso, mapped into every
// program like a file. From then on it is memory like any other: forked, unmapped, replaced.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/base/result.h"

namespace guest {

class AddressSpace;

/// Keeps a copy of the linked image in page frames and adds the page of numbers to tell the time
/// by. Once, at boot. ENOEXEC: not the image of vdso.ld; ENOMEM.
Result<> vdso_init(const std::byte* image, std::size_t bytes);

/// Maps it into the current space. Returns its address, 0 when there is none (unit tests).
Result<std::uint64_t> map_vdso(AddressSpace& space);

}  // namespace guest
