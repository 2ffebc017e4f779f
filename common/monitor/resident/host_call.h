// A raw host system call, for resident parts. Inlined on purpose: the observer and the filter tell
// host calls apart by the exact address of their syscall instruction, so each resident part
// decides where those are (host_call.S of each VMM); this header only declares the entry.
#pragma once

#include <cstdint>

extern "C" std::int64_t host_call(std::uint64_t number, std::uint64_t a0, std::uint64_t a1,
                                  std::uint64_t a2, std::uint64_t a3, std::uint64_t a4,
                                  std::uint64_t a5);

/// The same with fewer arguments; pointers and integers alike.
template <class... A>
inline std::int64_t host(std::uint64_t number, A... arguments) {
  static_assert(sizeof...(A) <= 6);
  std::uint64_t a[6] = {(std::uint64_t)(arguments)...};
  return host_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
