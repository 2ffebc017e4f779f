// msgget, msgsnd, msgrcv, msgctl. What they mean is in ipc/messages.h.
#include <limits>

#include "guest/ipc/messages.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

Result<std::int64_t> put_limits(UserAddress to, bool use) {
  abi::MsgLimits limits{};
  limits.queues = MessageQueues::capacity;
  limits.most_in_message = MessageQueue::most_in_message;
  limits.most_in_queue = MessageQueue::most_in_queue;
  limits.pool = limits.queues * limits.most_in_queue / 1024;
  limits.map = limits.messages = limits.most_in_queue;
  limits.segment_size = 16;
  limits.segments = 0xffff;
  if (use) {  // then three of them tell how much there is
    limits.pool = static_cast<std::int32_t>(message_queues.count());
    limits.map = limits.messages = 0;
    for (std::uint32_t i = 0; i < MessageQueues::capacity; ++i) {
      MessageQueue* queue = message_queues.at(i);
      if (!queue) continue;
      limits.map += static_cast<std::int32_t>(queue->messages());
      limits.messages += static_cast<std::int32_t>(queue->bytes());
    }
  }
  TRY(put_user(to, limits));
  return message_queues.last();
}

Result<std::int64_t> put_status(MessageQueue& queue, UserAddress to, bool ask,
                                std::int64_t result) {
  if (ask) TRY(queue.owner.check(ipc_reads, current_caller()));
  TRY(put_user(to, queue.status()));
  return result;
}

Result<std::int64_t> change(MessageQueue& queue, UserAddress from) {
  const auto wanted = TRY(get_user<abi::MsgStatus>(from));
  const Caller caller = current_caller();
  TRY(queue.owner.check_owner(caller));
  if (wanted.most_bytes > MessageQueue::most_in_queue && !caller.is_root()) return Errno::perm;
  queue.owner.change(wanted.permissions);
  queue.changed = ipc_now();
  queue.set_room(wanted.most_bytes);
  return 0;
}

Result<std::int64_t> remove(MessageQueue& queue) {
  TRY(queue.owner.check_owner(current_caller()));
  queue.remove();
  return 0;
}

}  // namespace

Result<std::int64_t> sys_msgget(const Args& args) {
  return as_count(get_queue(args.i32(0), args.u32(1)));
}

Result<std::int64_t> sys_msgsnd(const Args& args) {
  const auto type = TRY(get_user<std::int64_t>(args.user(1)));
  const std::uint64_t bytes = args.u64(2);
  if (bytes > MessageQueue::most_in_message || args.i32(0) < 0 || type < 1) return Errno::inval;
  const Ref<MessageQueue> queue = TRY(message_queues.find(args.i32(0)));
  TRY(queue->owner.check(ipc_writes, current_caller()));
  return as_zero(
      queue->send(type, args.user(1) + sizeof type, bytes, args.u32(3) & abi::ipc_nowait));
}

Result<std::int64_t> sys_msgrcv(const Args& args) {
  const std::uint32_t flags = args.u32(4);
  if (args.i32(0) < 0 || args.i64(2) < 0) return Errno::inval;
  if (flags & abi::msg_copy) return Errno::nosys;  // as kernels without checkpoints have it
  const Ref<MessageQueue> queue = TRY(message_queues.find(args.i32(0)));
  TRY(queue->owner.check(ipc_reads, current_caller()));
  std::int64_t type = args.i64(3);
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  if (type == lowest) type = lowest + 1;  // has no opposite
  return as_count(queue->receive(args.user(1), args.u64(2),
                                 {.type = type,
                                  .other = (flags & abi::msg_except) != 0,
                                  .cut = (flags & abi::msg_noerror) != 0},
                                 flags & abi::ipc_nowait));
}

Result<std::int64_t> sys_msgctl(const Args& args) {
  const int number = args.i32(0);
  const std::uint32_t command = args.u32(1);
  const UserAddress buffer = args.user(2);
  if (number < 0) return Errno::inval;
  switch (command) {
    case abi::ipc_info:
    case abi::msg_info:
      return put_limits(buffer, command == abi::msg_info);
    case abi::msg_stat:
    case abi::msg_stat_any: {
      MessageQueue* queue = message_queues.at(args.u32(0));
      if (!queue) return Errno::inval;
      return put_status(*queue, buffer, command == abi::msg_stat, queue->number);
    }
    case abi::ipc_stat:
      return put_status(*TRY(message_queues.find(number)), buffer, true, 0);
    case abi::ipc_set:
      return change(*TRY(message_queues.find(number)), buffer);
    case abi::ipc_rmid:
      return remove(*TRY(message_queues.find(number)));
    default:
      return Errno::inval;
  }
}

}  // namespace guest
