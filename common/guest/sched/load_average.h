// LoadAverage: how many tasks wanted the CPU, averaged over 1, 5 and 15 minutes as Linux does it: a
// sample every 5 s counts less with each one that follows. Sampled by the scheduler before and
// after it idles and at each tick; there is none while a task runs alone, so a sample stands for
// all the periods since the one before.
#pragma once

#include <cstdint>

namespace guest {

class LoadAverage {
 public:
  static constexpr int spans = 3;
  static constexpr std::uint64_t one = 1u << 11;  // a load of 1

  void sample(std::uint64_t now_ns, std::uint64_t runnable);
  [[nodiscard]] std::uint64_t over(int span) const { return average_[span]; }

 private:
  std::uint64_t last_ns_ = 0;  // 0: none yet
  std::uint64_t average_[spans] = {};
};

}  // namespace guest
