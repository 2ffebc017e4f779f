// Random bytes: a ChaCha20 generator in the guest kernel, seeded by the entropy device. A device
// access costs a trap out of the guest; a megabyte of /dev/urandom must not cost 131 072 of them.
#pragma once

#include <cstddef>

#include "guest/mm/user.h"

namespace guest {

void fill_random(void* to, std::size_t bytes);
/// Returns how many bytes have moved: fewer when a signal waits, or when the memory ends.
Result<std::size_t> random_to_user(UserAddress to, std::size_t bytes);

}  // namespace guest
