// transfer, and the buffer in the kernel heap that it and splice go through.
#include "guest/vfs/transfer.h"

#include <algorithm>

#include "guest/abi/file_flags.h"
#include "guest/heap/vec.h"
#include "guest/sched/pausing.h"
#include "guest/vfs/notice.h"

namespace guest {

TransferBuffer::TransferBuffer()
    : memory_(static_cast<std::uint8_t*>(heap_allocate(bytes, HeapKind::file))) {}
TransferBuffer::~TransferBuffer() {
  heap_free(memory_);
}

Result<std::size_t> transfer(File& from, std::uint64_t at, File& to, std::size_t bytes) {
  if (!from.inode().is(mode_regular) || (to.flags & abi::o_append)) return Errno::inval;
  TransferBuffer buffer;
  if (!buffer.get()) return Errno::nomem;
  if (bytes) from.note_access();
  return in_parts_with_pauses(bytes, [&](std::size_t done) -> Result<std::size_t> {
    const std::size_t wanted = std::min(bytes - done, TransferBuffer::bytes);
    const std::size_t part = TRY(from.inode().peek(at + done, buffer.get(), wanted));
    if (part) notice(from, abi::in_access);
    return part ? to.write(Source(buffer.get()), part) : std::size_t{0};
  });
}

}  // namespace guest
