// FutexWaiter: a thread's place among those that wait for a futex. In Thread, since whoever wakes
// it writes here while the thread sleeps (see wait_queue.h); used by proc/futex.cpp alone.
#pragma once

#include <cstdint>

#include "guest/base/list.h"

namespace guest {

struct FutexWaiter {
  ListNode node;
  class Thread* thread = nullptr;
  class AddressSpace* space = nullptr;
  std::uint64_t address = 0;
  std::uint32_t bits = 0;
  bool woken = false;
};

}  // namespace guest
