// Contents from one open file into another without passing through user memory: sendfile.
#pragma once

#include "guest/vfs/inode.h"

namespace guest {

/// Memory that bytes pass through, as much as makes the host calls few. get(): nullptr when there
/// is none left.
class TransferBuffer {
 public:
  static constexpr std::size_t bytes = 16 * 1024;

  TransferBuffer();
  ~TransferBuffer();
  TransferBuffer(const TransferBuffer&) = delete;
  TransferBuffer& operator=(const TransferBuffer&) = delete;
  [[nodiscard]] std::uint8_t* get() const { return memory_; }

 private:
  std::uint8_t* memory_;
};

/// Up to `bytes` from offset `at` of `from`, a regular file, to where `to` stands. EINVAL: `from`
/// cannot be read that way, and programs fall back to read and write.
Result<std::size_t> transfer(File& from, std::uint64_t at, File& to, std::size_t bytes);

}  // namespace guest
