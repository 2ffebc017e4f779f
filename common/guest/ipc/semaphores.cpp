// See semaphores.h. Called by the system calls of semaphores, and at the end of each process.
#include "guest/ipc/semaphores.h"

#include <algorithm>
#include <new>

#include "guest/heap/make.h"
#include "guest/proc/process.h"

namespace guest {

constinit SemaphoreSets semaphore_sets;

namespace {

class EndsOfProcesses final : public ProcessObserver {
  void process_ends(const Process& process, int) override {
    for (std::uint32_t i = 0; i < SemaphoreSets::capacity; ++i)
      if (SemaphoreSet* set = semaphore_sets.at(i)) set->undo(process);
  }
};

}  // namespace

ProcessObserver& semaphore_observer() {
  static constinit EndsOfProcesses observer;
  return observer;
}

Result<int> get_semaphores(int key, int count, std::uint32_t flags) {
  const Caller caller = current_thread().credentials.caller();
  if (count < 0 || count > static_cast<int>(SemaphoreSet::most_in_set)) return Errno::inval;
  const auto wanted = static_cast<std::uint32_t>(count);
  const auto suits = [&](SemaphoreSet& found) -> Result<> {
    return wanted > found.count() ? Errno::inval : Result<>();
  };
  const auto make = [&]() -> Result<Ref<SemaphoreSet>> {
    if (wanted == 0) return Errno::inval;
    Ref<SemaphoreSet> set = TRY(make_ref<SemaphoreSet>(IpcOwner(key, flags, caller)));
    TRY(set->make(wanted));
    return set;
  };
  return semaphore_sets.get(key, flags, caller, suits, make);
}

SemaphoreSet::~SemaphoreSet() {
  while (Undo* undo = undos_.front()) forget(*undo);
}

Result<> SemaphoreSet::make(std::uint32_t count) {
  TRY(semaphores_.reserve(count));
  while (semaphores_.size() < count) TRY(semaphores_.push({}));
  return {};
}

int SemaphoreSet::waiting(std::uint32_t which, bool for_zero) {
  int count = 0;
  for (const Waiting& one : waiting_) count += one.which == which && one.for_zero == for_zero;
  return count;
}

void SemaphoreSet::set(std::uint32_t which, std::uint16_t value, int pid) {
  for (Undo& undo : undos_) undo.changes[which] = 0;
  semaphores_[which] = {value, pid};
  changed = ipc_now();
  changed_.notify();
}

Result<SemaphoreSet::Undo*> SemaphoreSet::undo_of(const Process& process) {
  for (Undo& undo : undos_)
    if (undo.process == &process) return &undo;
  void* memory = heap_allocate(sizeof(Undo), HeapKind::crowd);
  if (!memory) return Errno::nomem;
  auto* undo = new (memory) Undo;
  undo->process = &process;
  undos_.push_back(*undo);
  if (auto room = undo->changes.reserve(count()); !room.ok()) {
    forget(*undo);
    return room.error();
  }
  while (undo->changes.size() < count()) (void)undo->changes.push(0);
  return undo;
}

void SemaphoreSet::forget(Undo& undo) {
  undo.node.unlink();
  undo.~Undo();
  heap_free(&undo);
}

void SemaphoreSet::undo(const Process& process) {
  for (Undo& undo : undos_) {
    if (undo.process != &process) continue;
    for (std::uint32_t i = 0; i < undo.changes.size(); ++i) {
      if (undo.changes[i] == 0) continue;
      const int value = semaphores_[i].value + undo.changes[i];
      semaphores_[i] = {static_cast<std::uint16_t>(std::clamp<int>(value, 0, most_value)),
                        process.pid};
    }
    forget(undo);
    changed_.notify();
    return;
  }
}

Result<const SemaphoreSet::Operation*> SemaphoreSet::attempt(Operations operations, Undo* undo) {
  // Done on trial, one after the other; what cannot be done to the end is taken back.
  std::size_t done = 0;
  Errno error = Errno::ok;
  const Operation* waits = nullptr;
  for (; done < operations.size(); ++done) {
    const Operation& operation = operations[done];
    std::uint16_t& value = semaphores_[operation.number].value;
    const int changed_value = value + operation.change;
    if ((operation.change == 0 && value != 0) || changed_value < 0) {
      waits = &operation;
      break;
    }
    const int undone =
        operation.flags & abi::sem_undo ? undo->changes[operation.number] - operation.change : 0;
    if (changed_value > most_value || undone > most_value || undone < -most_value - 1) {
      error = Errno::range;
      break;
    }
    value = static_cast<std::uint16_t>(changed_value);
    if (operation.flags & abi::sem_undo)
      undo->changes[operation.number] = static_cast<std::int16_t>(undone);
  }
  if (!waits && error == Errno::ok) return nullptr;
  while (done-- > 0) {
    const Operation& operation = operations[done];
    std::uint16_t& value = semaphores_[operation.number].value;
    value = static_cast<std::uint16_t>(value - operation.change);
    if (operation.flags & abi::sem_undo) {
      std::int16_t& undone = undo->changes[operation.number];
      undone = static_cast<std::int16_t>(undone + operation.change);
    }
  }
  if (waits) return waits;
  return error;
}

Result<> SemaphoreSet::wait_for(const Operation& operation, std::uint64_t deadline_ns) {
  Waiting self{{}, operation.number, operation.change == 0};
  waiting_.push_back(self);
  auto woken = changed_.wait(any_event, deadline_ns);
  self.node.unlink();
  if (removed) return Errno::idrm;
  if (woken.ok()) return {};
  return woken.error() == Errno::timedout ? Errno::again : Errno::intr;
}

Result<> SemaphoreSet::operate(Operations operations, std::uint64_t deadline_ns) {
  Process& self = current_process();
  const auto undoes = [](const Operation& one) { return one.flags & abi::sem_undo; };
  const bool with_undo = std::any_of(operations.begin(), operations.end(), undoes);
  for (const Operation& operation : operations)
    if (operation.number >= count()) return Errno::fbig;
  for (;;) {
    Undo* undo = with_undo ? TRY(undo_of(self)) : nullptr;
    const Operation* waits = TRY(attempt(operations, undo));
    if (!waits) break;
    if (waits->flags & abi::ipc_nowait) return Errno::again;
    TRY(wait_for(*waits, deadline_ns));
  }
  bool changes = false;
  for (const Operation& operation : operations) {
    semaphores_[operation.number].last_pid = self.pid;
    changes |= operation.change != 0;
  }
  operated = ipc_now();
  if (changes) changed_.notify();
  return {};
}

void SemaphoreSet::remove() {
  removed = true;
  changed_.notify();
  semaphore_sets.forget(*this);
}

abi::SemStatus SemaphoreSet::status() const {
  abi::SemStatus out{};
  out.permissions = permissions_of(owner, number);
  out.operation_time = operated;
  out.change_time = changed;
  out.count = count();
  return out;
}

}  // namespace guest
