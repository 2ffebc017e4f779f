// Bytes and pages of a file, for what works on files' contents.
#pragma once

#include <cstdint>

#include "guest/base/narrow.h"
#include "vmi/address_map.h"

namespace guest {

constexpr std::uint32_t page_of(std::uint64_t at) {
  return narrow<std::uint32_t>(at >> vmi::page_shift);
}
constexpr std::uint64_t offset_in_page(std::uint64_t at) {
  return at % vmi::page_size;
}
constexpr std::uint64_t least(std::uint64_t a, std::uint64_t b) {
  return a < b ? a : b;
}

}  // namespace guest
