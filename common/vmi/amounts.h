// Amounts of memory: bytes, pages and page frames are types, so that none is taken for another, nor
// for an address, a frame's number or a flag. They are made from plain numbers and become plain
// numbers only by name; they add, subtract and compare among themselves. To the machine they are
// their number: same layout, same registers.
#pragma once

#include <compare>
#include <cstdint>

namespace vmi {

inline constexpr std::uint64_t page_shift = 12;
inline constexpr std::uint64_t page_size = 1ul << page_shift;
inline constexpr std::uint64_t huge_page_size = 2ul << 20;

template <class Unit, class Number>
struct Amount {
  Number number = 0;

  constexpr Amount() = default;
  explicit constexpr Amount(Number n) : number(n) {}
  explicit constexpr operator bool() const { return number != 0; }
  constexpr auto operator<=>(const Amount&) const = default;

  constexpr Amount& operator+=(Amount other) { return number += other.number, *this; }
  constexpr Amount& operator-=(Amount other) { return number -= other.number, *this; }
  friend constexpr Amount operator+(Amount a, Amount b) { return a += b; }
  friend constexpr Amount operator-(Amount a, Amount b) { return a -= b; }
  friend constexpr Amount operator*(Amount a, Number times) { return Amount(a.number * times); }
  friend constexpr Amount operator/(Amount a, Number by) { return Amount(a.number / by); }
  friend constexpr Number operator/(Amount a, Amount b) { return a.number / b.number; }
};

using Bytes = Amount<struct ByteUnit, std::uint64_t>;
using Pages = Amount<struct PageUnit, std::uint64_t>;    // of an address space, of a file
using Frames = Amount<struct FrameUnit, std::uint32_t>;  // of guest RAM

/// Page frame number: index of a 4 KiB page of guest RAM.
using Frame = std::uint32_t;
constexpr Frame operator+(Frame first, Frames count) {
  return first + count.number;
}

constexpr std::uint64_t operator+(std::uint64_t address, Bytes bytes) {
  return address + bytes.number;
}

constexpr Bytes bytes_of(Pages pages) {
  return Bytes(pages.number << page_shift);
}
constexpr Bytes bytes_of(Frames frames) {
  return Bytes(std::uint64_t{frames.number} << page_shift);
}
/// As many pages as there are frames: each frame is behind one.
constexpr Pages pages_of(Frames frames) {
  return Pages(frames.number);
}
/// Pages that lie wholly in so many bytes, and pages that it takes to hold them.
constexpr Pages whole_pages(Bytes bytes) {
  return Pages(bytes.number >> page_shift);
}
constexpr Pages pages_for(Bytes bytes) {
  return Pages((bytes.number >> page_shift) + (bytes.number % page_size != 0));
}
/// From one page address to another.
constexpr Pages pages_between(std::uint64_t begin, std::uint64_t end) {
  return Pages((end - begin) >> page_shift);
}

}  // namespace vmi
