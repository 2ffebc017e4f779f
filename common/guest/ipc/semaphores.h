// Semaphores of System V: sets of them, on which one call does several things at once or none.
#pragma once

#include <span>

#include "guest/base/list.h"
#include "guest/heap/vec.h"
#include "guest/ipc/object.h"
#include "guest/proc/observers.h"
#include "guest/sched/wait_queue.h"

namespace guest {

class SemaphoreSet final : public Counted, public Allocated<HeapKind::file> {
 public:
  static constexpr std::uint32_t most_in_set = 1000, most_in_call = 500;
  static constexpr std::uint16_t most_value = 32767;
  using Operation = abi::SemaphoreOperation;
  using Operations = std::span<const Operation>;

  explicit SemaphoreSet(const IpcOwner& owner) : owner(owner), changed(ipc_now()) {}
  ~SemaphoreSet();
  Result<> make(std::uint32_t count);

  IpcOwner owner;
  int number = 0;
  bool removed = false;
  std::int64_t operated = 0, changed;  // when

  [[nodiscard]] std::uint32_t count() const {
    return static_cast<std::uint32_t>(semaphores_.size());
  }
  [[nodiscard]] std::uint16_t value(std::uint32_t which) const { return semaphores_[which].value; }
  [[nodiscard]] int last_pid(std::uint32_t which) const { return semaphores_[which].last_pid; }
  /// How many wait until it grows, or until it is zero.
  [[nodiscard]] int waiting(std::uint32_t which, bool for_zero);
  /// SETVAL: nobody's undoing of it counts any more. `pid` did it.
  void set(std::uint32_t which, std::uint16_t value, int pid);

  /// All of them at once; waits while they cannot be done. EAGAIN: IPC_NOWAIT, or `deadline_ns` (0:
  /// none) has come; EFBIG, ERANGE, EIDRM, EINTR, ENOMEM.
  Result<> operate(Operations operations, std::uint64_t deadline_ns);
  /// All who wait are told EIDRM.
  void remove();
  [[nodiscard]] abi::SemStatus status() const;

  /// What a process has asked to be undone at its end is done.
  void undo(const class Process& process);

 private:
  struct Semaphore {
    std::uint16_t value = 0;
    int last_pid = 0;
  };
  /// What a process's end adds to each.
  struct Undo {
    ListNode node;
    const Process* process = nullptr;
    Vec<std::int16_t> changes{HeapKind::crowd};
  };
  /// Somebody asleep, and for what.
  struct Waiting {
    ListNode node;
    std::uint32_t which = 0;
    bool for_zero = false;
  };

  Result<Undo*> undo_of(const Process& process);
  static void forget(Undo& undo);
  /// The first operation that has to wait; nullptr: all are done.
  Result<const Operation*> attempt(Operations operations, Undo* undo);
  Result<> wait_for(const Operation& operation, std::uint64_t deadline_ns);

  Vec<Semaphore> semaphores_{HeapKind::crowd};
  List<Undo, &Undo::node> undos_;
  List<Waiting, &Waiting::node> waiting_;
  WaitQueue changed_;
};

using SemaphoreSets = IpcTable<SemaphoreSet, 128>;
extern SemaphoreSets semaphore_sets;

/// semget. EINVAL, ENOMEM and what IpcTable::get says.
Result<int> get_semaphores(int key, int count, std::uint32_t flags);

/// Hears of processes' ends.
ProcessObserver& semaphore_observer();

}  // namespace guest
