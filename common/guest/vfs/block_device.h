// The disk as file systems see it: a driver implements it. A request is carried out while the guest
// waits: what is read is there, and what is written has left the guest, when a call returns. On
// stable storage it is only after flush().
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/mm/frames.h"

namespace guest {

class BlockDevice {
 public:
  virtual std::uint64_t bytes() = 0;
  virtual bool read_only() = 0;
  // Kernel memory, in the heap or the kernel's own data. EIO when the host fails or the range is
  // not on the disk.
  virtual Result<> read(std::uint64_t at, void* to, std::uint32_t bytes) = 0;
  virtual Result<> write(std::uint64_t at, const void* from, std::uint32_t bytes) = 0;
  // Page frames: from byte `offset` of `frame` on, may run over into the next ones.
  virtual Result<> read_frames(std::uint64_t at, Frame frame, std::uint64_t offset,
                               std::uint64_t bytes) = 0;
  virtual Result<> write_frames(std::uint64_t at, Frame frame, std::uint64_t offset,
                                std::uint64_t bytes) = 0;
  virtual Result<> flush() = 0;

 protected:
  ~BlockDevice() = default;
};

}  // namespace guest
