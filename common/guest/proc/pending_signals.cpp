// See pending_signals.h.
#include "guest/proc/pending_signals.h"

#include <new>

#include "guest/proc/signal.h"

namespace guest {

PendingSignals::~PendingSignals() {
  discard(~0ul);
}

bool PendingSignals::holds_timer(int id) {
  for (PendingSignal& entry : queue_)
    if (entry.of_timer && entry.info.timer.id == id) return true;
  return false;
}

Result<> PendingSignals::add(const abi::SigInfo& info, std::uint64_t most, bool of_timer) {
  bool standard = info.number < sig_first_realtime, known = set_ & signal_bit(info.number);
  if (standard && known && !of_timer) return {};
  // As on Linux: neither limit nor memory keeps what the kernel and kill() send from being told.
  const bool exempt = (standard && info.code >= 0) || of_timer;
  auto* entry = exempt || queued_ < most ? new (std::nothrow) PendingSignal{} : nullptr;
  if (!entry && !standard && info.code != abi::si_user) return Errno::again;
  set_ |= signal_bit(info.number);
  if (!entry) return {};
  entry->info = info;
  entry->of_timer = of_timer;
  queue_.push_back(*entry);
  ++queued_;
  return {};
}

PendingSignals::Taken PendingSignals::take(SignalSet wanted) {
  int signal = __builtin_ctzl(set_ & wanted) + 1;
  Taken taken{};
  taken.info.number = signal;
  bool found = false, more = false;
  for (PendingSignal& entry : queue_) {
    if (entry.info.number != signal) continue;
    if (found) {
      more = true;
      break;
    }
    found = true;
    taken = {entry.info, entry.of_timer};
    entry.node.unlink();
    --queued_;
    delete &entry;
  }
  if (!more) set_ &= ~signal_bit(signal);
  return taken;
}

void PendingSignals::discard(SignalSet signals) {
  set_ &= ~signals;
  for (PendingSignal& entry : queue_) {
    if (!(signals & signal_bit(entry.info.number))) continue;
    entry.node.unlink();
    --queued_;
    delete &entry;
  }
}

}  // namespace guest
