// See device.h. Runs in system calls of sockets' users, and in interrupts.
#include "guest/net/outside/device.h"

#include <atomic>
#include <utility>

#include "guest/base/clock.h"
#include "guest/platform.h"
#include "guest/sched/interrupts.h"
#include "guest/sched/scheduler.h"

namespace guest {

constinit SocketDevice socket_device;

bool SocketDevice::is_there() {
  if (!std::exchange(asked_, true)) {
    there_ = hypercalls().device_read(vmi::socket_place.bus_base + vmi::socket_is_there) == 1;
    if (there_) serve_interrupt(vmi::irq_socket, [] { socket_device.interrupt(); });
  }
  return there_;
}

Result<std::uint16_t> SocketDevice::take_number(DeviceUser& user) {
  for (std::uint16_t number = vmi::most_published; number < vmi::socket_ends; ++number) {
    if (users_[number]) continue;
    users_[number] = &user;
    return number;
  }
  return Errno::nfile;
}

void SocketDevice::free_number(std::uint16_t number) {
  users_[number] = nullptr;
  if (!waiting_.empty() && !gathers_) interrupt();
}

void SocketDevice::wait(DeviceUser& user) {
  constexpr std::uint64_t patience_ns = 20'000'000;
  if (!user.waiting_node.linked()) waiting_.push_back(user);
  if (!look_.armed()) scheduler.set_timer(look_, monotonic_ns() + patience_ns);
}

void SocketDevice::look(Timer&) {
  if (!socket_device.waiting_.empty()) socket_device.interrupt();
}

bool SocketDevice::request(const vmi::SocketRequest& request, DeviceUser& user) {
  auto& ring = rings().sockets.requests;
  std::atomic_ref<std::uint32_t> head(ring.head), tail(ring.tail);
  const std::uint32_t at = head.load(std::memory_order_relaxed);
  if (at - tail.load(std::memory_order_acquire) >= ring.capacity) {
    wait(user);
    return false;
  }
  ring.entries[at % ring.capacity] = request;
  head.store(at + 1, std::memory_order_release);
  must_ring_ = true;
  if (!gathers_) this->ring();
  return true;
}

void SocketDevice::ring() {
  if (!std::exchange(must_ring_, false)) return;
  hypercalls().device_write(vmi::socket_place.bus_base + vmi::socket_doorbell, 1);
}

void SocketDevice::interrupt() {
  auto& ring = rings().sockets.answers;
  std::atomic_ref<std::uint32_t> head(ring.head), tail(ring.tail);
  const bool gathered = std::exchange(gathers_, true);
  for (std::uint32_t at = tail.load(std::memory_order_relaxed);
       at != head.load(std::memory_order_acquire); ++at) {
    // More may be waiting for room.
    must_ring_ |= head.load(std::memory_order_relaxed) - at == ring.capacity;
    const vmi::SocketAnswer answer = ring.entries[at % ring.capacity];
    tail.store(at + 1, std::memory_order_release);
    DeviceUser* user = answer.end < vmi::socket_ends ? users_[answer.end] : nullptr;
    if (user) user->answered(answer);
  }
  List<DeviceUser, &DeviceUser::waiting_node> looking;
  while (DeviceUser* user = waiting_.pop_front()) looking.push_back(*user);
  while (DeviceUser* user = looking.pop_front()) user->look_again();
  gathers_ = gathered;
  if (!gathers_) this->ring();
}

}  // namespace guest
