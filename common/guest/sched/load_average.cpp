// LoadAverage: see the header.
#include "guest/sched/load_average.h"

namespace guest {

void LoadAverage::sample(std::uint64_t now_ns, std::uint64_t runnable) {
  constexpr std::uint64_t period_ns = 5'000'000'000;
  constexpr std::uint64_t kept[spans] = {1884, 2014, 2037};  // of `one`: e^(-5 s / span)
  constexpr std::uint64_t until_all_the_same = 2000;         // periods
  if (last_ns_ == 0) last_ns_ = now_ns;
  std::uint64_t periods = (now_ns - last_ns_) / period_ns;
  last_ns_ += periods * period_ns;
  if (periods > until_all_the_same) periods = until_all_the_same;
  const std::uint64_t now = runnable * one;
  for (int span = 0; span < spans; ++span)
    for (std::uint64_t i = 0; i < periods; ++i) {
      const std::uint64_t next = average_[span] * kept[span] + now * (one - kept[span]);
      const std::uint64_t up = now >= average_[span] ? one - 1 : 0;  // else it never gets there
      average_[span] = (next + up) / one;
    }
}

}  // namespace guest
