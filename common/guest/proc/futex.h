// Futexes: sleeping on a word of user memory. A waiter is known by address space and address, so
// processes that share memory by vfork or CLONE_VM meet; MAP_SHARED between different spaces does
// not (the call table says so).
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/mm/user.h"

namespace guest {

class AddressSpace;

/// Sleeps if the word still holds `expected` (EAGAIN otherwise), until a wake with a common bit.
Result<> futex_wait(UserAddress address, std::uint32_t expected, std::uint32_t bits,
                    std::uint64_t deadline_ns);
/// Returns how many it woke.
int futex_wake(AddressSpace& space, UserAddress address, int most, std::uint32_t bits = ~0u);

}  // namespace guest
