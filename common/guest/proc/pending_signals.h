// PendingSignals: signals that wait for delivery. A process has a set that any of its threads may
// take from, and each thread one of its own.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/list.h"
#include "guest/base/result.h"

namespace guest {

/// A set of signals, bit n-1 for signal n, as in the guest's sigset_t.
using SignalSet = std::uint64_t;
constexpr SignalSet signal_bit(int signal) {
  return 1ul << (signal - 1);
}

/// A signal waiting for delivery, with what its siginfo will say.
struct PendingSignal {
  ListNode node;
  abi::SigInfo info;
};

/// Standard signals are kept once, real-time ones queue up, and so do those of timers, each of
/// which has one entry at most.
class PendingSignals {
 public:
  ~PendingSignals();
  [[nodiscard]] SignalSet set() const { return set_; }
  /// Is a signal of this timer among them?
  [[nodiscard]] bool holds_timer(int id);
  /// EAGAIN: a real-time signal found the queue full. A standard signal is never lost: without
  /// memory for its details it stays pending bare.
  Result<> add(const abi::SigInfo& info);
  /// Takes the lowest-numbered signal in `wanted`, which must intersect set().
  abi::SigInfo take(SignalSet wanted);
  void discard(SignalSet signals);

 private:
  SignalSet set_ = 0;
  std::uint32_t queued_ = 0;
  List<PendingSignal, &PendingSignal::node> queue_;
};

}  // namespace guest
