// The guest's FS and GS bases, which no code in the window uses: both resident parts read them on
// the way in, and load them on the way out.
#pragma once

#include <cstdint>

namespace monitor {

inline std::uint64_t read_fs_base() {
  std::uint64_t base;
  asm volatile("rdfsbase %0" : "=r"(base));
  return base;
}
inline std::uint64_t read_gs_base() {
  std::uint64_t base;
  asm volatile("rdgsbase %0" : "=r"(base));
  return base;
}

/// A base that the processor would refuse is no reason to fault here, and the one before is not
/// this program's to see: it becomes 0.
inline std::uint64_t canonical(std::uint64_t base) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(base << 16) >> 16) == base ? base : 0;
}
inline void write_fs_base(std::uint64_t base) {
  asm volatile("wrfsbase %0" : : "r"(canonical(base)));
}
inline void write_gs_base(std::uint64_t base) {
  asm volatile("wrgsbase %0" : : "r"(canonical(base)));
}

}  // namespace monitor
