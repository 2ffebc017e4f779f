// The driver of the socket device (vmi/sockets.h): gives out the numbers of ends, puts requests
// into the ring and hands answers to who waits for them. Its users (carried.h, published.h) keep
// what they want to be done as their own state: request() may find no room, and then they are told
// to look again.
#pragma once

#include "guest/base/list.h"
#include "guest/base/result.h"
#include "guest/sched/timer_list.h"
#include "vmi/sockets.h"

namespace guest {

/// Somebody who has an end.
class DeviceUser {
 public:
  /// One of its requests is answered. Nothing here sleeps.
  virtual void answered(const vmi::SocketAnswer& answer) = 0;
  /// There may be room for requests, or a number free, where there was none.
  virtual void look_again() = 0;

  ListNode waiting_node;

 protected:
  ~DeviceUser() { waiting_node.unlink(); }
};

class SocketDevice {
 public:
  constexpr SocketDevice() : look_(look, nullptr) {}
  /// Is there one? Asked of the machine at its first use.
  bool is_there();

  /// A number for a new connection; ENFILE: all are taken.
  Result<std::uint16_t> take_number(DeviceUser& user);
  void listen_as(std::uint16_t number, DeviceUser& user) { users_[number] = &user; }
  void free_number(std::uint16_t number);
  /// False: not now; the user will be told.
  bool request(const vmi::SocketRequest& request, DeviceUser& user);
  /// For room in the ring, a number or memory. Of memory nobody tells: it is looked for.
  void wait(DeviceUser& user);
  /// irq_socket is pending.
  void interrupt();

 private:
  void ring();
  static void look(Timer&);

  DeviceUser* users_[vmi::socket_ends] = {};
  List<DeviceUser, &DeviceUser::waiting_node> waiting_;
  bool asked_ = false, there_ = false;
  bool gathers_ = false, must_ring_ = false;  // one doorbell for all that an interrupt brings about
  Timer look_;
};

extern SocketDevice socket_device;

}  // namespace guest
