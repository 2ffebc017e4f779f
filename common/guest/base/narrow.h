// narrow: a smaller type for a value that is known to fit there. What a program chose is compared
// with a limit first; this is for what follows from that, and a value that does not fit after all
// is a bug that must not go on as another number.
#pragma once

#include <utility>

#include "guest/base/panic.h"

namespace guest {

template <class To, class From>
constexpr To narrow(From value) {
  KERNEL_ASSERT(std::in_range<To>(value));
  return static_cast<To>(value);
}

}  // namespace guest
