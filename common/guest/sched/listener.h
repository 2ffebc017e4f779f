// Listener: somebody who is told when something has changed (wait_queue.h). Most are threads that
// sleep until then; an epoll object will be one that is not.
#pragma once

#include <cstdint>

#include "guest/base/list.h"

namespace guest {

/// Poll bits (abi/file_flags.h): what has happened, or what somebody wants to hear of.
using Events = std::uint32_t;
inline constexpr Events any_event = ~0u;

/// Told by notify() of the queue it is on, whenever some of what it wants has happened: each time,
/// also if it was told before and nobody has looked since. That comes in the midst of another
/// thread's work, an interrupt's or a timer's: hear() must not sleep. It may take any listener off
/// its queue, itself too, and notify other queues, or the same one.
///
/// A listener leaves its queue before it goes, and before the queue goes. Whoever notifies reaches
/// it while its thread sleeps, and a sleeping thread's kernel stack may have been moved out:
/// nothing that others reach while a thread sleeps lies on its stack. This holds for whatever
/// waits, also elsewhere (futexes, timers): a plain wait uses the listener in Task, poll has its
/// own on the heap. (The CPU may still idle on the stack of the thread that went to sleep last:
/// that one stays.)
struct Listener {
  using Hear = void (*)(Listener&, Events happened);
  constexpr Listener(Hear hear, void* owner, Events wanted = any_event)
      : wanted(wanted), hear(hear), owner(owner) {}

  ListNode node;
  Events wanted;
  Hear hear;
  void* owner;  // of hear
};

}  // namespace guest
