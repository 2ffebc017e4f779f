// What a thread leaves behind in user memory: locks that it held (its robust list) and the word of
// CLONE_CHILD_CLEARTID. Called at a thread's end and by execve, while the memory is still there.
// The list is the program's: forged links, cycles and bad addresses end the walk and nothing else.
#include <utility>

#include "guest/mm/address_space.h"
#include "guest/proc/futex.h"
#include "guest/proc/process.h"

namespace guest {

namespace {

constexpr int most_entries = 2048;    // as Linux
constexpr std::uint64_t pi_mark = 1;  // in a link: that futex inherits priorities

// A futex's word.
constexpr std::uint32_t has_waiters = 0x8000'0000, owner_died = 0x4000'0000,
                        owner_mask = 0x3fff'ffff;

/// struct robust_list_head. Links are user addresses; an entry begins with the next link.
struct Head {
  std::uint64_t next;
  std::uint64_t futex_offset;  // from an entry to its word
  std::uint64_t pending;       // about to be locked or unlocked, whether listed yet or not
};
static_assert(sizeof(Head) == robust_list_head_bytes);

struct Lock {
  UserAddress word;
  bool pi;
};

Lock lock_at(std::uint64_t link, const Head& head) {
  return {{(link & ~pi_mark) + head.futex_offset}, (link & pi_mark) != 0};
}

/// Nobody runs between reading the word and writing it: what has just been read is resident.
Result<> abandon(const Thread& owner, Lock lock, bool pending) {
  if (lock.word.value % sizeof(std::uint32_t)) return Errno::fault;
  const auto value = TRY(get_user<std::uint32_t>(lock.word));
  // Unlocked, but it had not come to waking anybody yet.
  if (pending && !lock.pi && value == 0) {
    (void)futex_wake(lock.word, FutexScope::anybody, 1);
    return {};
  }
  if ((value & owner_mask) != static_cast<std::uint32_t>(owner.tid)) return {};
  TRY(put_user(lock.word, (value & has_waiters) | owner_died));
  if (!lock.pi && (value & has_waiters)) (void)futex_wake(lock.word, FutexScope::anybody, 1);
  return {};
}

Result<> walk(const Thread& owner, std::uint64_t list) {
  const auto head = TRY(get_user<Head>(UserAddress{list}));
  std::uint64_t link = head.next;
  for (int entries = 0; (link & ~pi_mark) != list && entries < most_entries; ++entries) {
    // The next one first: whoever gets this lock may take it off.
    auto next = get_user<std::uint64_t>(UserAddress{link & ~pi_mark});
    if ((link & ~pi_mark) != (head.pending & ~pi_mark))
      TRY(abandon(owner, lock_at(link, head), false));
    link = TRY(std::move(next));
  }
  if (head.pending & ~pi_mark) TRY(abandon(owner, lock_at(head.pending, head), true));
  return {};
}

// Without others in this memory, to clear it would only cost.
bool clears_word(const Thread& thread) {
  const Process& process = thread.process;
  return thread.clear_child_tid && (!process.sole() || process.space.shared());
}

}  // namespace

bool has_user_words(const Thread& thread) {
  if (clears_word(thread)) return true;
  if (!thread.robust_list) return false;
  auto head = get_user<Head>(UserAddress{thread.robust_list});
  return head.ok() && (head.value().next != thread.robust_list || head.value().pending);
}

void release_user_words(Thread& thread) {
  if (const std::uint64_t list = std::exchange(thread.robust_list, 0)) (void)walk(thread, list);
  if (!clears_word(thread)) return;
  const UserAddress word{thread.clear_child_tid};
  if (put_user(word, 0).ok()) (void)futex_wake(word, FutexScope::anybody, 1);
}

}  // namespace guest
