// semget, semop, semtimedop, semctl. What they mean is in ipc/semaphores.h.
#include "guest/ipc/semaphores.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"
#include "guest/syscall/time_values.h"

namespace guest {
namespace {

Result<std::int64_t> operate(int number, UserAddress from, std::uint64_t count,
                             std::uint64_t deadline_ns) {
  if (count == 0 || number < 0) return Errno::inval;
  if (count > SemaphoreSet::most_in_call) return Errno::toobig;
  Vec<SemaphoreSet::Operation> operations(HeapKind::file);  // it may sleep
  TRY(operations.reserve(count));
  for (std::uint64_t i = 0; i < count; ++i)
    TRY(operations.push(
        TRY(get_user<SemaphoreSet::Operation>(from + i * sizeof(SemaphoreSet::Operation)))));
  const Ref<SemaphoreSet> set = TRY(semaphore_sets.find(number));
  bool changes = false;
  for (const SemaphoreSet::Operation& operation : operations) {
    if (operation.number >= set->count()) return Errno::fbig;
    changes |= operation.change != 0;
  }
  TRY(set->owner.check(changes ? ipc_writes : ipc_reads, current_caller()));
  return as_zero(set->operate({operations.begin(), operations.size()}, deadline_ns));
}

Result<std::int64_t> put_limits(UserAddress to, bool use) {
  abi::SemLimits limits{};
  limits.sets = SemaphoreSets::capacity;
  limits.in_set = SemaphoreSet::most_in_set;
  limits.semaphores = limits.sets * limits.in_set;
  limits.map = limits.undos = limits.semaphores;
  limits.in_call = limits.undos_of_process = SemaphoreSet::most_in_call;
  limits.value = limits.adjust = SemaphoreSet::most_value;
  limits.used = 20;
  if (use) {  // then two of them tell how much there is
    limits.used = static_cast<std::int32_t>(semaphore_sets.count());
    limits.adjust = 0;
    for (std::uint32_t i = 0; i < SemaphoreSets::capacity; ++i)
      if (SemaphoreSet* set = semaphore_sets.at(i))
        limits.adjust += static_cast<std::int32_t>(set->count());
  }
  TRY(put_user(to, limits));
  return semaphore_sets.last();
}

Result<std::int64_t> put_status(SemaphoreSet& set, UserAddress to, bool ask, std::int64_t result) {
  if (ask) TRY(set.owner.check(ipc_reads, current_caller()));
  TRY(put_user(to, set.status()));
  return result;
}

Result<std::int64_t> change(SemaphoreSet& set, std::uint32_t command, UserAddress from) {
  TRY(set.owner.check_owner(current_caller()));
  if (command == abi::ipc_rmid) {
    set.remove();
    return 0;
  }
  set.owner.change(TRY(get_user<abi::SemStatus>(from)).permissions);
  set.changed = ipc_now();
  return 0;
}

Result<std::int64_t> values(SemaphoreSet& set, UserAddress user, bool setting) {
  TRY(set.owner.check(setting ? ipc_writes : ipc_reads, current_caller()));
  Vec<std::uint16_t> all(HeapKind::file);
  TRY(all.reserve(set.count()));
  for (std::uint32_t i = 0; i < set.count(); ++i) TRY(all.push(set.value(i)));
  const std::size_t bytes = all.size() * sizeof all[0];
  if (!setting) return as_zero(copy_to_user(user, all.begin(), bytes));
  TRY(copy_from_user(all.begin(), user, bytes));
  for (const std::uint16_t value : all)
    if (value > SemaphoreSet::most_value) return Errno::range;
  if (set.removed) return Errno::idrm;
  for (std::uint32_t i = 0; i < set.count(); ++i) set.set(i, all[i], current_process().pid);
  return 0;
}

Result<std::int64_t> of_one(SemaphoreSet& set, int which, std::uint32_t command, int value) {
  const bool setting = command == abi::sem_setval;
  if (which < 0 || static_cast<std::uint32_t>(which) >= set.count()) return Errno::inval;
  const auto index = static_cast<std::uint32_t>(which);
  if (setting && (value < 0 || value > SemaphoreSet::most_value)) return Errno::range;
  TRY(set.owner.check(setting ? ipc_writes : ipc_reads, current_caller()));
  switch (command) {
    case abi::sem_getval:
      return set.value(index);
    case abi::sem_getpid:
      return set.last_pid(index);
    case abi::sem_getncnt:
    case abi::sem_getzcnt:
      return set.waiting(index, command == abi::sem_getzcnt);
    default:
      set.set(index, static_cast<std::uint16_t>(value), current_process().pid);
      return 0;
  }
}

}  // namespace

Result<std::int64_t> sys_semget(const Args& args) {
  return as_count(get_semaphores(args.i32(0), args.i32(1), args.u32(2)));
}

Result<std::int64_t> sys_semop(const Args& args) {
  return operate(args.i32(0), args.user(1), args.u32(2), 0);
}
Result<std::int64_t> sys_semtimedop(const Args& args) {
  std::uint64_t deadline = 0;
  if (args.user(3))
    deadline =
        monotonic_deadline(TRY(to_ns(TRY(get_user<abi::Timespec>(args.user(3))))), false, false);
  return operate(args.i32(0), args.user(1), args.u32(2), deadline);
}

Result<std::int64_t> sys_semctl(const Args& args) {
  const int number = args.i32(0);
  const std::uint32_t command = args.u32(2);
  const UserAddress buffer = args.user(3);
  if (number < 0) return Errno::inval;
  switch (command) {
    case abi::ipc_info:
    case abi::sem_info:
      return put_limits(buffer, command == abi::sem_info);
    case abi::sem_stat:
    case abi::sem_stat_any: {
      SemaphoreSet* set = semaphore_sets.at(args.u32(0));
      if (!set) return Errno::inval;
      return put_status(*set, buffer, command == abi::sem_stat, set->number);
    }
    case abi::ipc_stat:
      return put_status(*TRY(semaphore_sets.find(number)), buffer, true, 0);
    case abi::ipc_set:
    case abi::ipc_rmid:
      return change(*TRY(semaphore_sets.find(number)), command, buffer);
    case abi::sem_getall:
    case abi::sem_setall:
      return values(*TRY(semaphore_sets.find(number)), buffer, command == abi::sem_setall);
    case abi::sem_getval:
    case abi::sem_getpid:
    case abi::sem_getncnt:
    case abi::sem_getzcnt:
    case abi::sem_setval:
      return of_one(*TRY(semaphore_sets.find(number)), args.i32(1), command, args.i32(3));
    default:
      return Errno::inval;
  }
}

}  // namespace guest
