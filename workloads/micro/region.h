// An anonymous mapping for the programs that touch pages: small pages wherever it runs, written
// before it is read, checked to have come zeroed.
#pragma once

#include <sys/mman.h>

#include "marker.h"

namespace micro {

class Region {
 public:
  static constexpr std::uint64_t page = 4096;

  Region(const char* name, std::uint64_t pages) : pages_(pages) {
    void* at =
        mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) fail(name, "cannot map its memory; give the guest more (--memory)");
    // The host must not answer with 2 MiB pages where it would: the unit is one page.
    madvise(at, pages * page, MADV_NOHUGEPAGE);
    words_ = static_cast<volatile std::uint64_t*>(at);
  }
  ~Region() { munmap(const_cast<std::uint64_t*>(words_), pages_ * page); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  /// First touch of a page: by a write, since a read would map a shared page of zeroes first. True:
  /// it came zeroed and holds what was written.
  bool touch(std::uint64_t which, std::uint64_t value) {
    volatile std::uint64_t* word = words_ + which * (page / sizeof(std::uint64_t));
    const std::uint64_t stamp = value + 1;
    *word = stamp;
    return word[1] == 0 && *word == stamp;
  }
  bool make_read_only(std::uint64_t first, std::uint64_t pages) {
    auto* at = const_cast<std::uint64_t*>(words_) + first * (page / sizeof(std::uint64_t));
    return mprotect(at, pages * page, PROT_READ) == 0;
  }
  [[nodiscard]] std::uint64_t stamp(std::uint64_t which) const {
    return words_[which * (page / sizeof(std::uint64_t))];
  }

 private:
  std::uint64_t pages_;
  volatile std::uint64_t* words_;
};

/// First touches of `count` pages, in regions of `pages_each` of which `touched_each` are touched:
/// page `which(i)` as the i-th. How many came zeroed.
template <class Which>
std::uint64_t touch_regions(const char* name, std::uint64_t count, std::uint64_t pages_each,
                            std::uint64_t touched_each, Which which) {
  std::uint64_t zeroed = 0;
  while (count > 0) {
    const std::uint64_t now = count < touched_each ? count : touched_each;
    Region region(name, pages_each);
    for (std::uint64_t i = 0; i < now; ++i) zeroed += region.touch(which(i), i);
    count -= now;
  }
  return zeroed;
}

}  // namespace micro
