// Fifo: a pipe with a name. Opening one end waits for the other.
#pragma once

#include "guest/fs/pipe/pipe.h"
#include "guest/fs/ram/ramfs.h"

namespace guest {

class Fifo final : public RamInode {
 public:
  explicit Fifo(std::uint32_t mode) : RamInode(mode_fifo | (mode & 07777)) {}
  Result<Ref<File>> open(std::uint32_t flags) override;
  void closed(std::uint32_t flags) override;

 private:
  Ref<Pipe> pipe_;  // made by the first opener, shared, gone with the last
};

}  // namespace guest
