// The same for the baseline's resident part.
#include <cstring>

#include "baseline-vmm/resident/resident.h"
#include "tests/unit/resident/fake_host.h"

namespace baseline {

[[noreturn]] void panic(const char* message) {
  throw fake::Panic{message};
}

extern "C" std::uint64_t guarded_copy(void* to, const void* from, std::uint64_t bytes) {
  std::memcpy(to, from, bytes);
  return 0;
}

}  // namespace baseline
