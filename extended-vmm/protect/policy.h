// The axis `protect`: each value is one policy, and this table all that is known of it elsewhere.
// It is chosen at launch: the launcher takes the gate by it (trap/gate.cpp), makes the filter from
// it (trap/filter.cpp, trap/host_calls.cpp) and hands it to the resident part (resident/image.h),
// so that nothing is decided by name on the way of a trap. A new protection is an entry here, a
// pair of gates in trap/gate.S, and the host calls of its own in the two tables that judge them.
#pragma once

#include <cstdint>

namespace extended {

/// How the gate opens and closes the window around each stay in the guest kernel.
enum class Window : std::uint8_t {
  changes_access,  // mprotect over the window alone
  is_mapped,       // mmap and munmap of window, attic and RAM: the whole mapping
  stays_open,
};

/// Plain data, known to the resident part too.
struct Protection {
  Window window;
  /// While the guest kernel runs, RAM lies behind the window. If not, it is never mapped, and page
  /// frames are reached by host calls on the memfd.
  bool ram_is_mapped;
  /// The attic's slabs are opened and closed one by one (protect/attic.cpp). If not, the attic
  /// lies where RAM lies.
  bool attic_by_slab;

  friend bool operator==(const Protection&, const Protection&) = default;
};

struct Policy {
  const char* word;
  Protection protection;
  bool contains;  // a hostile guest program
  const char* promise;
};

inline constexpr Policy mprotect_policy = {
    "mprotect",
    {.window = Window::changes_access, .ram_is_mapped = false, .attic_by_slab = true},
    true,
    "contains a hostile guest program"};
inline constexpr Policy mmap_policy = {
    "mmap",
    {.window = Window::is_mapped, .ram_is_mapped = true, .attic_by_slab = false},
    true,
    "contains a hostile guest program"};
inline constexpr Policy none_policy = {
    "none",
    {.window = Window::stays_open, .ram_is_mapped = true, .attic_by_slab = false},
    false,
    "unprotected, upper bound: contains nothing"};

/// By the axis's value; the default first.
inline constexpr Policy policies[] = {mprotect_policy, mmap_policy, none_policy};

}  // namespace extended
