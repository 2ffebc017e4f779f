// Message queues of System V: messages with a type, taken by type.
#pragma once

#include "guest/base/list.h"
#include "guest/ipc/object.h"
#include "guest/mm/user.h"
#include "guest/sched/wait_queue.h"

namespace guest {

class MessageQueue final : public Counted, public Allocated<HeapKind::file> {
 public:
  static constexpr std::size_t most_in_message = 8192;
  static constexpr std::uint64_t most_in_queue = 16384;  // bytes, unless root says otherwise

  explicit MessageQueue(const IpcOwner& owner) : owner(owner), changed(ipc_now()) {}
  ~MessageQueue();

  IpcOwner owner;
  int number = 0;
  bool removed = false;
  std::uint64_t most_bytes = most_in_queue;
  std::int64_t sent = 0, received = 0, changed;  // when
  int last_sender = 0, last_receiver = 0;

  /// Waits for room. EAGAIN: there is none (IPC_NOWAIT); EIDRM, EINTR, EFAULT, ENOMEM.
  Result<> send(std::int64_t type, UserAddress text, std::size_t bytes, bool nonblocking);
  /// What msgrcv asks for: type 0, the oldest; above, the oldest of it (or of any other); below, of
  /// the lowest up to it.
  struct Wanted {
    std::int64_t type = 0;
    bool other = false;
    bool cut = false;  // MSG_NOERROR
  };
  /// Puts type and text at `to`, at most `room` bytes of it. Returns how many. ENOMSG (IPC_NOWAIT),
  /// E2BIG, EIDRM, EINTR, EFAULT: the message is gone then.
  Result<std::size_t> receive(UserAddress to, std::size_t room, const Wanted& wanted,
                              bool nonblocking);
  /// More may fit now.
  void set_room(std::uint64_t bytes);
  /// All who wait are told EIDRM.
  void remove();
  [[nodiscard]] abi::MsgStatus status() const;
  [[nodiscard]] std::uint64_t messages() const { return count_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  /// With its text behind it.
  struct Message {
    ListNode node;
    std::int64_t type;
    std::size_t bytes;
    [[nodiscard]] std::uint8_t* text() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  };
  Message* find(const Wanted& wanted);
  Result<> wait(WaitQueue& queue);

  List<Message, &Message::node> messages_;
  std::uint64_t count_ = 0, bytes_ = 0;
  WaitQueue senders_, receivers_;
};

using MessageQueues = IpcTable<MessageQueue, 128>;
extern MessageQueues message_queues;

/// msgget. What IpcTable::get says, ENOMEM.
Result<int> get_queue(int key, std::uint32_t flags);

}  // namespace guest
