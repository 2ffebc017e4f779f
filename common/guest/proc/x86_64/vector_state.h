// The vector state inside a signal frame: XSAVE's standard layout with Linux's additions, a
// description in bytes that the processor leaves alone and a magic word behind the end.
#pragma once

#include "guest/mm/user.h"
#include "guest/proc/signal_frame.h"

namespace guest::abi {

/// Bytes on the user's stack.
std::uint64_t vector_frame_bytes(VectorState vectors);
Result<> put_vector_frame(UserAddress to, VectorState vectors);
/// Takes it back so that loading it cannot fault: components the guest may not set keep their old
/// contents. Address 0 gives the initial state.
Result<> get_vector_frame(UserAddress from, VectorState vectors);

}  // namespace guest::abi
