// transfer: through a buffer in the kernel heap, as big as makes the host calls few.
#include "guest/vfs/transfer.h"

#include "guest/abi/file_flags.h"
#include "guest/heap/vec.h"
#include "guest/sched/pausing.h"

namespace guest {
namespace {

constexpr std::size_t buffer_bytes = 16 * 1024;

class Buffer {
 public:
  Buffer() : bytes_(static_cast<std::uint8_t*>(heap_allocate(buffer_bytes, HeapKind::file))) {}
  ~Buffer() { heap_free(bytes_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  [[nodiscard]] std::uint8_t* get() const { return bytes_; }

 private:
  std::uint8_t* bytes_;
};

}  // namespace

Result<std::size_t> transfer(File& from, std::uint64_t at, File& to, std::size_t bytes) {
  if (!from.inode().is(mode_regular) || (to.flags & abi::o_append)) return Errno::inval;
  Buffer buffer;
  if (!buffer.get()) return Errno::nomem;
  if (bytes) from.note_access();
  return in_parts_with_pauses(bytes, [&](std::size_t done) -> Result<std::size_t> {
    const std::size_t wanted = bytes - done < buffer_bytes ? bytes - done : buffer_bytes;
    const std::size_t part = TRY(from.inode().peek(at + done, buffer.get(), wanted));
    return part ? to.write(Source(buffer.get()), part) : std::size_t{0};
  });
}

}  // namespace guest
