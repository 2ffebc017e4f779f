// See filler.h. The thread makes no host process, holds no lock of the C library's when one is
// made, and takes none of the launcher's signals.
#include "monitor/guest/filler.h"

#include <algorithm>
#include <csignal>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

/// The launcher's own mappings wait so long: a millisecond or two.
constexpr std::uint64_t piece = 4ul << 20;

void schedule(std::thread& thread, int policy) {
  const sched_param none{};
  pthread_setschedparam(thread.native_handle(), policy, &none);
}

/// While one lives, signals are left to other threads, and to those that are not begun meanwhile.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Filler::Filler(GuestMemory& memory, Fill when, const cpu_set_t& cpus) {
  if (when != Fill::ahead) return;
  const AllSignalsBlocked blocked;
  thread_ = std::thread([this, &memory, cpus] { fill(memory, cpus); });
  schedule(thread_, SCHED_IDLE);
}

Filler::~Filler() {
  stopped_ = true;
  wait();
}

// Who waits for it lends it his own priority: on a host with one busy CPU an idle one might never
// come to its end.
void Filler::wait() {
  if (!thread_.joinable()) return;
  schedule(thread_, SCHED_OTHER);
  thread_.join();
}

// Should the host have no memory left, it says so again at the guest's own touch.
void Filler::fill(GuestMemory& memory, const cpu_set_t& cpus) const {
  sched_setaffinity(0, sizeof cpus, &cpus);
  try {
    const std::uint64_t end = memory.ram_bytes();
    for (std::uint64_t at = filled_before(Fill::ahead, end); at < end && !stopped_; at += piece)
      memory.fill_ram(at, std::min(piece, end - at));
  } catch (const HostError&) {
  }
}

}  // namespace monitor
