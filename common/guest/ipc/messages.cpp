// See messages.h. Called by the system calls of message queues.
#include "guest/ipc/messages.h"

#include <algorithm>
#include <new>

#include "guest/heap/make.h"
#include "guest/proc/process.h"

namespace guest {

constinit MessageQueues message_queues;

Result<int> get_queue(int key, std::uint32_t flags) {
  const Caller caller = current_thread().credentials.caller();
  const auto suits = [](MessageQueue&) -> Result<> { return {}; };
  const auto make = [&] { return make_ref<MessageQueue>(IpcOwner(key, flags, caller)); };
  return message_queues.get(key, flags, caller, suits, make);
}

MessageQueue::~MessageQueue() {
  while (Message* message = messages_.pop_front()) heap_free(message);
}

Result<> MessageQueue::wait(WaitQueue& queue) {
  auto woken = queue.wait();
  if (removed) return Errno::idrm;
  return woken.ok() ? Result<>() : Errno::intr;
}

Result<> MessageQueue::send(std::int64_t type, UserAddress text, std::size_t bytes,
                            bool nonblocking) {
  void* memory = heap_allocate(sizeof(Message) + bytes, HeapKind::crowd);
  if (!memory) return Errno::nomem;
  auto* message = new (memory) Message{{}, type, bytes};
  const auto put = [&]() -> Result<> {
    TRY(copy_from_user(message->text(), text, bytes));
    // As many messages as bytes, so that empty ones come to an end, too.
    while (bytes_ + bytes > most_bytes || count_ + 1 > most_bytes) {
      if (nonblocking) return Errno::again;
      TRY(wait(senders_));
    }
    return removed ? Errno::idrm : Result<>();
  };
  if (auto outcome = put(); !outcome.ok()) {
    heap_free(message);
    return outcome;
  }
  messages_.push_back(*message);
  ++count_;
  bytes_ += bytes;
  sent = ipc_now();
  last_sender = current_process().pid;
  receivers_.notify();
  return {};
}

MessageQueue::Message* MessageQueue::find(const Wanted& wanted) {
  if (wanted.type == 0) return messages_.front();
  Message* best = nullptr;
  for (Message& message : messages_) {
    if (wanted.type > 0) {
      if ((message.type == wanted.type) != wanted.other) return &message;
    } else if (message.type <= -wanted.type && (!best || message.type < best->type)) {
      best = &message;
    }
  }
  return best;
}

Result<std::size_t> MessageQueue::receive(UserAddress to, std::size_t room, const Wanted& wanted,
                                          bool nonblocking) {
  Message* message = find(wanted);
  while (!message) {
    if (nonblocking) return Errno::nomsg;
    TRY(wait(receivers_));
    message = find(wanted);
  }
  if (message->bytes > room && !wanted.cut) return Errno::toobig;
  message->node.unlink();
  --count_;
  bytes_ -= message->bytes;
  received = ipc_now();
  last_receiver = current_process().pid;
  senders_.notify();
  const std::size_t bytes = std::min(message->bytes, room);
  const auto give = [&]() -> Result<> {
    TRY(put_user(to, message->type));
    return copy_to_user(to + sizeof message->type, message->text(), bytes);
  };
  auto given = give();
  heap_free(message);
  if (!given.ok()) return given.error();
  return bytes;
}

void MessageQueue::set_room(std::uint64_t bytes) {
  most_bytes = bytes;
  senders_.notify();
}

void MessageQueue::remove() {
  removed = true;
  senders_.notify();
  receivers_.notify();
  message_queues.forget(*this);
}

abi::MsgStatus MessageQueue::status() const {
  abi::MsgStatus out{};
  out.permissions = permissions_of(owner, number);
  out.send_time = sent;
  out.receive_time = received;
  out.change_time = changed;
  out.bytes = bytes_;
  out.messages = count_;
  out.most_bytes = most_bytes;
  out.last_sender = last_sender;
  out.last_receiver = last_receiver;
  return out;
}

}  // namespace guest
