// Futexes: sleeping on a word of user memory. Whoever shares the word meets: the threads of one
// address space, and those of different ones that have mapped the same object with MAP_SHARED.
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/mm/user.h"

namespace guest {

class Thread;

/// Who may wait for a futex: `one_space` (FUTEX_PRIVATE_FLAG) saves looking at how it is mapped.
enum class FutexScope { one_space, anybody };

/// Sleeps if the word still holds `expected` (EAGAIN otherwise), until a wake with a common bit.
Result<> futex_wait(UserAddress address, FutexScope scope, std::uint32_t expected,
                    std::uint32_t bits, std::uint64_t deadline_ns);
/// Returns how many it woke. EFAULT: there is nothing to be read (one_space: could be).
Result<int> futex_wake(UserAddress address, FutexScope scope, int most, std::uint32_t bits = ~0u);
/// Wakes some of those that wait at `from`; of the others, some wait at `to` from now on. Returns
/// how many it woke or moved. EAGAIN: `expected`, if any, is not what the word at `from` holds.
Result<int> futex_requeue(UserAddress from, UserAddress to, FutexScope scope, int wake_most,
                          int move_most, const std::uint32_t* expected);

// -- Words of user memory that a thread's end concerns (robust_list.cpp).
/// set_robust_list's structure, in user memory.
inline constexpr std::uint64_t robust_list_head_bytes = 24;
/// At a thread's end, and when execve leaves its memory: futexes on its robust list are marked as
/// their owner's who has died, and the word of CLONE_CHILD_CLEARTID is cleared; each wakes one.
void release_user_words(Thread& thread);
/// Is there anything for it to do? execve asks while the memory is at hand.
bool has_user_words(const Thread& thread);

}  // namespace guest
