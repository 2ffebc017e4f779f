// OpenFiles: how many open file descriptions there are in the whole guest, and may be. Asked by the
// calls that open files, told by File.
#pragma once

#include <cstdint>

#include "guest/base/result.h"

namespace guest {

class OpenFiles {
 public:
  static constexpr std::uint32_t most = 24 * 1024;
  static constexpr std::uint32_t more_for_root = 512;  // so that root can find out why

  void add() { ++count_; }
  void remove() { --count_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  /// May somebody open so many more? ENFILE.
  [[nodiscard]] Result<> check_room(std::uint32_t wanted, bool is_root) const {
    std::uint32_t limit = is_root ? most + more_for_root : most;
    return count_ + wanted > limit ? Result<>(Errno::nfile) : Result<>();
  }

 private:
  std::uint32_t count_ = 0;
};

extern OpenFiles open_files;

}  // namespace guest
