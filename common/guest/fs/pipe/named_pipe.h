// NamedPipe: what is behind a FIFO, in whatever file system it has its name: a pipe that opens by
// name. Opening one end waits for the other. The file system's inode holds it, and passes on what
// it hears (Inode::open, Inode::closed).
#pragma once

#include "guest/fs/pipe/pipe.h"

namespace guest {

class NamedPipe {
 public:
  /// `inode` is the FIFO's own, which the open file holds.
  Result<Ref<File>> open(Ref<Inode> inode, std::uint32_t flags);
  void closed();

 private:
  Ref<Pipe> pipe_;  // made by the first opener, shared, gone with the last
};

}  // namespace guest
