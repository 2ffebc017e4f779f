// TimerFile: what timerfd_create makes. Readers wait for an expiry and take how many there were.
#pragma once

#include "guest/fs/events/anonymous.h"
#include "guest/sched/scheduler.h"

namespace guest {

class TimerFile final : public AnonymousFile {
 public:
  TimerFile(Ref<Inode> inode, std::uint32_t flags, bool real_time);
  ~TimerFile() override;
  static constexpr char tag = 0;
  [[nodiscard]] const void* class_tag() const override { return &tag; }

  const bool real_time;  // counts on CLOCK_REALTIME
  struct Setting {
    std::uint64_t left_ns, interval_ns;  // left 0: not armed
  };
  Setting setting();
  /// `deadline_ns`: on CLOCK_MONOTONIC, 0 to disarm.
  void set(std::uint64_t deadline_ns, std::uint64_t interval_ns);

  Result<std::size_t> read(UserAddress to, std::size_t bytes) override;
  std::uint32_t poll_state() override;

 private:
  static void expired(Timer& timer);
  void catch_up();

  Timer timer_;
  std::uint64_t interval_ns_ = 0;
  std::uint64_t expiries_ = 0;  // that nobody has read
  bool missing_ = false;  // of an interval: it has expired, and is not armed again until asked
};

Result<Ref<File>> make_timer_file(bool real_time, std::uint32_t flags);

}  // namespace guest
