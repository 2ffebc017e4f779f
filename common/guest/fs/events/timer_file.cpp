// See the header. A timer with an interval that nobody reads is not armed again: however short the
// interval, it costs one expiry for each read, and what was missed meanwhile is arithmetic.
#include "guest/fs/events/timer_file.h"

#include "guest/abi/file_flags.h"
#include "guest/base/clock.h"

namespace guest {

TimerFile::TimerFile(Ref<Inode> inode, std::uint32_t flags, bool real_time)
    : AnonymousFile(std::move(inode), flags), real_time(real_time), timer_(expired, this) {}

TimerFile::~TimerFile() {
  scheduler.cancel_timer(timer_);
}

void TimerFile::expired(Timer& timer) {
  TimerFile& self = *static_cast<TimerFile*>(timer.owner);
  ++self.expiries_;
  self.missing_ = self.interval_ns_ != 0;
  self.events_.notify(abi::poll_in | abi::poll_rdnorm);
}

void TimerFile::catch_up() {
  if (!missing_) return;
  missing_ = false;
  const NextExpiry next = next_expiry(timer_.deadline, interval_ns_, monotonic_ns());
  expiries_ += next.missed;
  scheduler.set_timer(timer_, next.deadline);
}

TimerFile::Setting TimerFile::setting() {
  catch_up();
  return {timer_.left_ns(monotonic_ns()), interval_ns_};
}

void TimerFile::set(std::uint64_t deadline_ns, std::uint64_t interval_ns) {
  scheduler.cancel_timer(timer_);
  expiries_ = 0;
  missing_ = false;
  interval_ns_ = deadline_ns ? interval_ns : 0;
  if (deadline_ns) scheduler.set_timer(timer_, deadline_ns);
}

Result<std::size_t> TimerFile::read(UserAddress to, std::size_t bytes) {
  if (bytes < sizeof expiries_) return Errno::inval;
  TRY(wait_for(abi::poll_in));
  catch_up();
  TRY(put_user(to, std::exchange(expiries_, 0)));
  return sizeof expiries_;
}

std::uint32_t TimerFile::poll_state() {
  return expiries_ ? abi::poll_in : 0;
}

Result<Ref<File>> make_timer_file(bool real_time, std::uint32_t flags) {
  return make_anonymous<TimerFile>("[timerfd]", flags, real_time);
}

}  // namespace guest
