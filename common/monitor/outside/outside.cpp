// See outside.h.
#include "monitor/outside/outside.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "monitor/machine/accounting.h"
#include "monitor/tool/error.h"

namespace monitor {
namespace {

int make_bell() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw_errno("cannot make an eventfd");
  return fd;
}

void ring(int bell) {
  const std::uint64_t one = 1;
  (void)!write(bell, &one, sizeof one);
}

}  // namespace

Outside::Outside(const OutsideRules& rules) {
  if (rules.empty()) return;
  carrier_.emplace(rules);
  doorbell_ = make_bell();
  wake_ = make_bell();
}

Outside::~Outside() {
  stopped_ = true;
  if (doorbell_ >= 0) ring(doorbell_);
  if (thread_.joinable()) thread_.join();
  for (int fd : {doorbell_, wake_})
    if (fd >= 0) close(fd);
}

void Outside::prepare(GuestMemory& memory) {
  if (!carrier_) return;
  shared_ = &memory.shared_info();
  rings_ = &memory.rings().sockets;
  carrier_->begin(*rings_,
                  [&memory](std::uint64_t at, std::uint64_t n) { return memory.bytes(at, n); });
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = Carrier::other;
  if (epoll_ctl(carrier_->events(), EPOLL_CTL_ADD, doorbell_, &event) != 0)
    throw_errno("cannot watch the guest's doorbell");
}

void Outside::start(std::function<void()> kick) {
  if (!carrier_) return;
  kick_ = std::move(kick);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { carry(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Outside::carry() {
  constexpr int most_events = 64, retry_milliseconds = 50;
  epoll_event events[most_events];
  while (!stopped_) {
    const int patience = carrier_->must_retry() ? retry_milliseconds : -1;
    const int count = epoll_wait(carrier_->events(), events, most_events, patience);
    carrier_->retry_accepts();
    for (int i = 0; i < count; ++i) {
      std::uint64_t times;
      if (events[i].data.u32 == Carrier::other)
        (void)!read(doorbell_, &times, sizeof times);
      else
        carrier_->happened(events[i].data.u32);
    }
    carrier_->take_requests();
    if (carrier_->give_answers()) tell_guest();
  }
  cpu_seconds_ = monitor::cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
}

// A line that is pending already has been told of: the guest looks at all answers when it sees it.
void Outside::tell_guest() {
  constexpr std::uint32_t line = 1u << vmi::irq_socket;
  const bool known = (shared_->pending.fetch_or(line) & line) != 0;
  if (rings_->asleep.load() != 0) return ring(wake_);
  if (known) return;
  ++kicks_;
  kick_();
}

void Outside::stop(Outcome& outcome) {
  if (!carrier_) return;
  stopped_ = true;
  ring(doorbell_);
  if (thread_.joinable()) thread_.join();
  outcome.cpu_seconds += cpu_seconds_;
  outcome.counters["socket_requests"] = carrier_->requests();
  outcome.counters["socket_kicks"] = kicks_;
  carrier_.reset();
}

}  // namespace monitor
