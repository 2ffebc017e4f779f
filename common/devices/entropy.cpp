// The entropy device; see entropy.h.
#include "devices/entropy.h"

namespace devices {

std::uint64_t Entropy::read(std::uint32_t offset) {
  if (offset != vmi::entropy_data) return 0;
  std::uint64_t value = 0;
  port_.fill(&value, sizeof value);
  return value;
}

}  // namespace devices
