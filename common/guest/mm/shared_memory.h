// SharedMemory: the pages behind a shared anonymous mapping, as an inode without a name: what
// processes share after fork outlives each of them. Frames are found when they are first touched.
#pragma once

#include "guest/mm/extent_map.h"
#include "guest/vfs/inode.h"

namespace guest {

class SharedMemory final : public Inode {
 public:
  explicit SharedMemory(std::uint64_t bytes) : bytes_(bytes) {}
  ~SharedMemory() override;

  Stat stat() override;
  [[nodiscard]] std::uint32_t mode() const override { return mode_regular | 0600; }
  Result<FrameRun> pages(std::uint64_t page, std::uint32_t max) override;

 private:
  static constexpr std::uint32_t pages_at_once = 16;

  std::uint64_t bytes_;
  ExtentMap frames_;  // by offset
};

}  // namespace guest
