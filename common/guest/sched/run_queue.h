// RunQueue: the tasks that could run, in turn, and how long the running one may keep the CPU.
// Time slices exist only while somebody waits: a lone task needs no ticks at all.
#pragma once

#include <cstdint>

#include "guest/base/list.h"
#include "guest/sched/task.h"

namespace guest {

inline constexpr std::uint64_t time_slice_ns = 10'000'000;

class RunQueue {
 public:
  [[nodiscard]] bool empty() const { return tasks_.empty(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  void push(Task& task) {
    tasks_.push_back(task);
    ++size_;
  }
  Task* pop() {
    Task* first = tasks_.pop_front();
    size_ -= first != nullptr;
    return first;
  }

  /// A new task is on the CPU: its slice starts when another one waits for it.
  void start_slice() { slice_end_ = 0; }
  /// When the running task must make room, 0 for never. `now` is a function: reading the clock
  /// is only worth it when somebody waits.
  template <class Clock>
  std::uint64_t slice_end(Clock now) {
    if (empty()) return slice_end_ = 0;
    if (slice_end_ == 0) slice_end_ = now() + time_slice_ns;
    return slice_end_;
  }
  [[nodiscard]] bool slice_over(std::uint64_t now) const {
    return !empty() && slice_end_ != 0 && now >= slice_end_;
  }

 private:
  List<Task, &Task::run_node> tasks_;
  std::size_t size_ = 0;
  std::uint64_t slice_end_ = 0;
};

}  // namespace guest
