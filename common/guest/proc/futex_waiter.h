// FutexWaiter: a thread's place among those that wait for a futex. In Thread, since whoever wakes
// it writes here while the thread sleeps (see listener.h); used by proc/futex.cpp alone.
#pragma once

#include <cstdint>

#include "guest/base/list.h"
#include "guest/mm/page_source.h"

namespace guest {

/// What a futex is known by, whoever looks at it: the object of a shared mapping and the offset in
/// it, or an address space and the address.
struct FutexKey {
  const void* object = nullptr;
  std::uint64_t offset = 0;
  friend bool operator==(const FutexKey&, const FutexKey&) = default;
};

class Thread;

struct FutexWaiter {
  explicit FutexWaiter(Thread& thread) : thread(thread) {}
  ListNode node;
  Thread& thread;
  FutexKey key;
  Ref<PageSource> object;  // of a shared mapping: must not be another one meanwhile
  std::uint32_t bits = 0;
  bool woken = false;
};

}  // namespace guest
