// SignalHandlers: what is done about each signal. Shared by the threads of a process, and by
// processes that were made with CLONE_SIGHAND, until one of them runs another program.
#pragma once

#include "guest/abi/structs.h"
#include "guest/base/share.h"
#include "guest/heap/heap.h"
#include "guest/proc/signal.h"

namespace guest {

struct SignalHandlers : Sharable, Allocated<HeapKind::process> {
  void copy(const SignalHandlers& from) {
    for (int signal = 1; signal <= sig_last; ++signal) of(signal) = from.of(signal);
  }
  abi::SignalAction actions[sig_last] = {};
  abi::SignalAction& of(int signal) { return actions[signal - 1]; }
  [[nodiscard]] const abi::SignalAction& of(int signal) const { return actions[signal - 1]; }
};

}  // namespace guest
