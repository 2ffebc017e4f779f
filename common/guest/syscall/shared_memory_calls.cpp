// shmget, shmat, shmdt, shmctl. What they mean is in ipc/segments.h.
#include "guest/ipc/segments.h"
#include "guest/mm/address_space.h"
#include "guest/proc/process.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

constexpr std::uint64_t most_bytes = ~0ull - (1ul << 24);  // as Linux tells it: no limit

Result<std::int64_t> put_limits(UserAddress to) {
  abi::ShmLimits limits{};
  limits.most_bytes = limits.most_pages = most_bytes;
  limits.least_bytes = 1;
  limits.most_segments = limits.most_of_process = Segments::capacity;
  TRY(put_user(to, limits));
  return segments.last();
}

Result<std::int64_t> put_use(UserAddress to) {
  abi::ShmUse use{};
  for (std::uint32_t i = 0; i < Segments::capacity; ++i) {
    Segment* segment = segments.at(i);
    if (!segment) continue;
    ++use.segments;
    use.pages += segment->length() / vmi::page_size;
    use.resident += segment->resident().number;
  }
  TRY(put_user(to, use));
  return segments.last();
}

Result<std::int64_t> put_status(Segment& segment, UserAddress to, bool ask, std::int64_t result) {
  if (ask) TRY(segment.owner.check(ipc_reads, current_caller()));
  TRY(put_user(to, segment.status()));
  return result;
}

Result<std::int64_t> change(Segment& segment, std::uint32_t command, UserAddress from) {
  TRY(segment.owner.check_owner(current_caller()));
  switch (command) {
    case abi::ipc_set:
      segment.owner.change(TRY(get_user<abi::ShmStatus>(from)).permissions);
      segment.changed = ipc_now();
      return 0;
    case abi::ipc_rmid:
      remove_segment(segment);
      return 0;
    default:
      segment.locked = command == abi::shm_lock;
      return 0;
  }
}

}  // namespace

Result<std::int64_t> sys_shmget(const Args& args) {
  return as_count(get_segment(args.i32(0), args.u64(1), args.u32(2)));
}
Result<std::int64_t> sys_shmat(const Args& args) {
  return as_count(attach_segment(args.i32(0), args.u64(1), args.u32(2)));
}
Result<std::int64_t> sys_shmdt(const Args& args) {
  return as_zero(detach_segment(args.u64(0)));
}

Result<std::int64_t> sys_shmctl(const Args& args) {
  const int number = args.i32(0);
  const std::uint32_t command = args.u32(1);
  const UserAddress buffer = args.user(2);
  if (number < 0) return Errno::inval;
  switch (command) {
    case abi::ipc_info:
      return put_limits(buffer);
    case abi::shm_info:
      return put_use(buffer);
    case abi::shm_stat:
    case abi::shm_stat_any: {
      Segment* segment = segments.at(args.u32(0));
      if (!segment) return Errno::inval;
      return put_status(*segment, buffer, command == abi::shm_stat, segment->number);
    }
    case abi::ipc_stat:
      return put_status(*TRY(segments.find(number)), buffer, true, 0);
    case abi::ipc_set:
    case abi::ipc_rmid:
    case abi::shm_lock:
    case abi::shm_unlock:
      return change(*TRY(segments.find(number)), command, buffer);
    default:
      return Errno::inval;
  }
}

}  // namespace guest
