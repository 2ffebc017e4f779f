// The disk image of a guest, opened and locked by the launcher: two guests cannot write one image.
#pragma once

#include <cstdint>
#include <string>

namespace monitor {

class BlockImage {
 public:
  /// An empty path: no disk. Throws HostError, naming what is wrong with the image.
  BlockImage(const std::string& path, bool read_only);
  ~BlockImage();
  BlockImage(const BlockImage&) = delete;
  BlockImage& operator=(const BlockImage&) = delete;

  [[nodiscard]] int fd() const { return fd_; }  // -1: none
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool read_only() const { return read_only_; }

 private:
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
  bool read_only_;
};

}  // namespace monitor
