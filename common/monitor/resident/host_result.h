// What the results of host calls mean to the resident parts. What the guest kernel asked for may be
// refused, and it is told so. Any other call does not fail on a healthy host; to go on without what
// it was to do could show a guest process another's memory. So then the machine dies, and the panic
// names the call.
#pragma once

#include <asm/errno.h>

#include <cstdint>

namespace monitor {

inline char* append(char* to, const char* text) {
  while (*text != '\0') *to++ = *text++;
  return to;
}

/// Decimal or hexadecimal digits of `value`; returns the end.
inline char* append_number(char* to, std::uint64_t value, unsigned base) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (count != 0) *to++ = digits[--count];
  return to;
}

/// "host call CALL failed: errno N", or "stopped short", into at least `failure_bytes`.
inline constexpr int failure_bytes = 80;
inline void describe_failure(char* to, const char* call, std::int64_t result) {
  to = append(append(to, "host call "), call);
  if (result < 0)
    to = append_number(append(to, " failed: errno "), static_cast<std::uint64_t>(-result), 10);
  else
    to = append(to, " stopped short");
  *to = '\0';
}

/// How far a transfer got, and why no further: 0, or a negative errno.
struct Moved {
  std::uint64_t bytes;
  std::int64_t error;
};

/// Makes a transfer whole, however often the host stops or is interrupted on the way.
/// `move(done, left)` is one host call for the rest.
template <class Move>
Moved move_whole(std::uint64_t bytes, Move move) {
  std::uint64_t done = 0;
  while (done < bytes) {
    const std::int64_t now = move(done, bytes - done);
    if (now == -EINTR) continue;
    if (now <= 0) return {done, now};
    done += static_cast<std::uint64_t>(now);
  }
  return {done, 0};
}

}  // namespace monitor
