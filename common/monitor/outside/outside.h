// Outside: a thread of the launcher's (in the baseline of the VMM process) that carries the guest's
// sockets. It sleeps in one epoll over the doorbell and all host sockets. So the guest-machine
// process has no socket of the host's: all it can do is ring.
#pragma once

#include <functional>
#include <optional>
#include <thread>

#include "monitor/guest/memory.h"
#include "monitor/outside/carrier.h"

namespace monitor {

class Outside {
 public:
  /// Has the published ports at once. Throws HostError. No rules: nothing is there, and the guest
  /// has no socket device.
  explicit Outside(const OutsideRules&);
  ~Outside();
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

  [[nodiscard]] bool is_there() const { return carrier_.has_value(); }
  /// eventfds; -1: none.
  [[nodiscard]] int doorbell() const { return doorbell_; }
  [[nodiscard]] int wake() const { return wake_; }

  /// Before the guest's first instruction.
  void prepare(GuestMemory&);
  /// Once the guest-machine process exists. `kick`, from the thread: an interrupt is pending, and
  /// the guest does not sleep.
  void start(std::function<void()> kick);
  /// The guest has ended: no host socket outlives it. Adds to counters and CPU time.
  void stop(Outcome&);

 private:
  void carry();
  void tell_guest();

  std::optional<Carrier> carrier_;
  int doorbell_ = -1, wake_ = -1;
  vmi::SharedInfo* shared_ = nullptr;
  vmi::SocketRings* rings_ = nullptr;
  std::function<void()> kick_;
  std::atomic<bool> stopped_ = false;
  std::uint64_t kicks_ = 0;
  double cpu_seconds_ = 0;
  std::thread thread_;
};

}  // namespace monitor
