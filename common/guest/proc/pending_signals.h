// PendingSignals: signals that wait for delivery. A process has a set that any of its threads may
// take from, and each thread one of its own.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/list.h"
#include "guest/base/result.h"
#include "guest/heap/heap.h"

namespace guest {

/// A set of signals, bit n-1 for signal n, as in the guest's sigset_t.
using SignalSet = std::uint64_t;
constexpr SignalSet signal_bit(int signal) {
  return 1ul << (signal - 1);
}

/// A signal waiting for delivery, with what its siginfo will say.
struct PendingSignal : Allocated<HeapKind::file> {
  ListNode node;
  abi::SigInfo info;
  bool of_timer;  // which sent it; programs may queue what only looks so
};

inline constexpr std::uint64_t most_queued_signals = 8192;  // RLIMIT_SIGPENDING, unless changed

/// Standard signals are kept once, real-time ones queue up, and so do those of timers, each of
/// which has one entry at most.
class PendingSignals {
 public:
  ~PendingSignals();
  [[nodiscard]] SignalSet set() const { return set_; }
  [[nodiscard]] std::uint32_t queued() const { return queued_; }
  /// Is a signal of this timer among them?
  [[nodiscard]] bool holds_timer(int id);
  /// EAGAIN: a real-time signal found `most` in the queue. A standard signal is never lost, nor is
  /// one from kill(): without room for its details it stays pending bare. Standard ones of the
  /// kernel and of kill(), and timers', count for no limit.
  Result<> add(const abi::SigInfo& info, std::uint64_t most = most_queued_signals,
               bool of_timer = false);
  struct Taken {
    abi::SigInfo info;
    bool of_timer;
  };
  /// Takes the lowest-numbered signal in `wanted`, which must intersect set().
  Taken take(SignalSet wanted);
  void discard(SignalSet signals);

 private:
  SignalSet set_ = 0;
  std::uint32_t queued_ = 0;
  List<PendingSignal, &PendingSignal::node> queue_;
};

}  // namespace guest
