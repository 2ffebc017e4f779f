// SharedMemory: the pages behind a shared anonymous mapping: what processes share after fork
// outlives each of them. Frames are found when they are first touched.
#pragma once

#include "guest/mm/extent_map.h"
#include "guest/mm/page_source.h"

namespace guest {

class SharedMemory : public PageSource, public Allocated<HeapKind::mapping> {
 public:
  explicit SharedMemory(std::uint64_t bytes) : bytes_(bytes) {}
  ~SharedMemory() override;

  std::uint64_t length() override { return bytes_; }
  Result<FrameRun> pages(std::uint64_t page, Frames max) override;
  [[nodiscard]] bool has_page(std::uint64_t page) const override {
    return frames_.find(page << vmi::page_shift);
  }
  /// How many pages have frames.
  [[nodiscard]] Frames resident() const;

 private:
  static constexpr Frames pages_at_once{16};

  std::uint64_t bytes_;
  ExtentMap frames_;  // by offset
};

}  // namespace guest
