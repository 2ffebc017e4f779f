// MemoryFile: a regular file for tests of mapping and program loading, with page-cache frames.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "guest/vfs/inode.h"
#include "tests/unit/guest/fake_platform.h"

namespace guest_test {

class MemoryFile final : public guest::Inode {
 public:
  explicit MemoryFile(std::vector<std::uint8_t> bytes, std::uint32_t longest_run = ~0u)
      : bytes_(std::move(bytes)), longest_run_(longest_run) {
    for (std::size_t page = 0; page * vmi::page_size < bytes_.size(); ++page) {
      auto run = guest::frames_allocate(guest::Frames(1));
      if (!run.ok()) throw std::logic_error("no frames for a file");
      frames_.push_back(run.value().first);
      std::size_t part =
          std::min<std::size_t>(vmi::page_size, bytes_.size() - page * vmi::page_size);
      std::uint8_t* frame = FakePlatform::instance().frame(frames_.back());
      std::memset(frame, 0, vmi::page_size);
      std::memcpy(frame, &bytes_[page * vmi::page_size], part);
    }
  }
  ~MemoryFile() override {
    for (vmi::Frame frame : frames_) guest::frame_release(frame);
  }

  guest::Stat stat() override {
    guest::Stat stat{};
    stat.mode = mode();
    stat.size = bytes_.size();
    return stat;
  }
  [[nodiscard]] std::uint32_t mode() const override { return file_mode; }
  guest::Result<std::size_t> peek(std::uint64_t at, void* to, std::size_t bytes) override {
    if (at >= bytes_.size()) return std::size_t{0};
    bytes = std::min<std::size_t>(bytes, bytes_.size() - at);
    std::memcpy(to, &bytes_[at], bytes);
    return bytes;
  }
  guest::Result<guest::FrameRun> pages(std::uint64_t page, guest::Frames max) override {
    if (page >= frames_.size()) return guest::Errno::io;
    const vmi::Frame first = frames_[page];
    std::uint32_t count = 1;
    while (count < max.number && count < longest_run_ && page + count < frames_.size() &&
           frames_[page + count] == first + count) {
      ++count;
    }
    return guest::FrameRun{first, guest::Frames(count)};
  }
  [[nodiscard]] vmi::Frame frame_of(std::size_t page) const { return frames_.at(page); }

  std::uint32_t file_mode = guest::mode_regular | 0755;

 private:
  std::vector<std::uint8_t> bytes_;
  std::uint32_t longest_run_;
  std::vector<vmi::Frame> frames_;
};

}  // namespace guest_test
