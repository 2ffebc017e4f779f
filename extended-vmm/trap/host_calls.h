// The host calls that the resident part makes from inside the window, and what bounds their
// arguments: the table that the filter is made from (filter.cpp). Guest code that got into an open
// window can make these and no others: it reaches no descriptor but the machine's own, maps nothing
// but page frames into user memory, and neither opens, kills nor executes anything.
//
// A filter sees numbers, not what pointers point to. Not judged here: the vectors of pwritev, the
// signal stack that sigaltstack sets, which descriptors ppoll asks about, where sendfile reads and
// at which position it writes, and which page frames are whose.
#pragma once

#include <cstdint>
#include <vector>

#include "extended-vmm/trap/host_call_sites.h"

namespace extended {

/// What one argument must be.
struct Limit {
  enum class Kind {
    equals,   // value
    bits,     // no others than value's
    at_most,  // value
    lies_in,  // [begin, end), with as many bytes as `value`, or as argument `length` says
    step,     // begin, begin + value and so on, below end; all in one 4 GiB, value a power of two
    follows,  // argument `length` less value, where that is a step in the 4 GiB of value
  };
  static constexpr int no_length = -1;

  Kind kind;
  int argument;
  std::uint64_t value = 0;
  std::uint64_t begin = 0, end = 0;
  int length = no_length;
};

/// A call that is allowed: all limits hold. There may be several with one number.
struct HostCallRule {
  std::uint32_t number;
  std::vector<Limit> limits;
};

/// The most frequent first.
std::vector<HostCallRule> window_calls(const HostCallSites&);

}  // namespace extended
