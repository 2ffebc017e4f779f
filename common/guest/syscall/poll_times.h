// What the calls that wait for files have in common: a time limit, and a signal mask for as long.
#pragma once

#include "guest/proc/signal.h"
#include "guest/proc/thread.h"
#include "guest/syscall/time_values.h"
#include "guest/vfs/poll.h"

namespace guest {

inline std::uint64_t deadline_after(std::uint64_t ns) {
  return ns == 0 ? no_time : monotonic_ns() + ns;
}

/// Negative: it waits for ever.
inline std::uint64_t deadline_in_ms(int ms) {
  constexpr std::uint64_t ns_per_ms = 1'000'000;
  return ms < 0 ? 0 : deadline_after(static_cast<std::uint64_t>(ms) * ns_per_ms);
}

/// None: it waits for ever.
inline Result<std::uint64_t> timespec_deadline(UserAddress address) {
  if (!address) return std::uint64_t{0};
  return deadline_after(TRY(to_ns(TRY(get_user<abi::Timespec>(address)))));
}

/// A temporary signal mask; nothing when `address` is null.
inline Result<> use_signal_mask(UserAddress address, std::uint64_t bytes) {
  if (!address) return {};
  if (bytes != sizeof(SignalSet)) return Errno::inval;
  set_temporary_signal_mask(current_thread(), TRY(get_user<SignalSet>(address)));
  return {};
}

}  // namespace guest
