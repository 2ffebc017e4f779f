// StackSlots: where kernel stacks are. A stack, with its thread's vector area above it, has to lie
// in the window, because the monitor enters on it; and the window has no room for a thousand. So
// there are a few dozen slots. The first threads have one each. Further ones share: a parked
// thread's stack is touched by nobody (what others need of it lies elsewhere), so the used part can
// wait somewhere else, its home, and come back to the same addresses before the thread runs.
//
//   slot + bytes          ----------------------------------------
//                         vector area
//   kernel_stack_bytes    ----------------------------------------
//                         trap frame, kernel calls
//   used_from             ---------------------------------------- what goes home
//                         (free)
//   slot                  canary
//
// Called by Thread alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/base/result.h"

namespace guest {

struct StackSlot;

/// Of whom a slot is: embedded in a thread.
struct StackTenant {
  explicit StackTenant(void* owner) : owner(owner) {}
  StackTenant(const StackTenant&) = delete;
  StackTenant& operator=(const StackTenant&) = delete;

  void* owner;
  StackSlot* slot = nullptr;
  unsigned char* home = nullptr;  // as large as a slot; null: it has never shared one
  std::size_t used_from = 0;      // an offset: kept up to date while it is not the resident

  [[nodiscard]] bool resident() const;
  /// Where its stack's bytes are now.
  [[nodiscard]] unsigned char* memory() const;
};

struct StackSlot {
  unsigned char* memory = nullptr;
  StackTenant* resident = nullptr;  // whose bytes are in it
  std::uint32_t tenants = 0;
};

inline bool StackTenant::resident() const {
  return slot->resident == this;
}
inline unsigned char* StackTenant::memory() const {
  return resident() ? slot->memory : home;
}

class StackSlots {
 public:
#ifdef __SANITIZE_ADDRESS__  // which follows each stack, and would not understand
  static constexpr std::size_t count = 2048;
  static constexpr bool keeps_empty_ones = false;
#else
  static constexpr std::size_t count = 64;
  static constexpr bool keeps_empty_ones = true;
#endif

  /// Gives a tenant a slot of `bytes`, always the same number: an empty one, where it is the
  /// resident, or a part in that with the fewest tenants. ENOMEM.
  Result<> move_in(StackTenant& tenant, std::size_t bytes);
  /// It needs none any more.
  void move_out(StackTenant& tenant);
  /// Makes it the resident: the one that was goes home. Not called on a stack in this slot.
  void bring_in(StackTenant& tenant);
  /// Takes the memory for all of them, while there is some. ENOMEM.
  Result<> prepare(std::size_t bytes);

 private:
  StackSlot& emptiest();
  Result<> make_home(StackTenant& tenant) const;

  StackSlot slots_[count];
  std::size_t bytes_ = 0;
};

}  // namespace guest
