// Called by the block device while it carries out a request that lies within the image.
#include "devices/block_port.h"

#include <asm-generic/errno.h>

namespace devices {
namespace {

/// `call` again as often as a signal interrupts it.
template <class Call>
std::int64_t whole(Call call) {
  std::int64_t result;
  do {
    result = call();
  } while (result == -EINTR);
  return result;
}

}  // namespace

/// From one descriptor to the other: bytes that arrived. Nobody else uses their positions.
std::int64_t BlockPort::pass_on(int from, std::uint64_t from_at, int to, std::uint64_t to_at,
                                std::uint64_t bytes) {
  constexpr int from_begin = 0;  // SEEK_SET
  const std::int64_t at = host_.call(__NR_lseek, to, to_at, from_begin);
  if (at < 0) return at;
  return whole([&] { return host_.call(__NR_sendfile, to, from, &from_at, bytes); });
}

std::int64_t BlockPort::read(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) {
  if (!is_memory(memory, bytes)) return -EFAULT;
  if (void* to = host_.mapped(memory, bytes))
    return whole([&] { return host_.call(__NR_pread64, disk_.image, to, bytes, at); });
  return pass_on(disk_.image, at, disk_.memory, memory, bytes);
}

std::int64_t BlockPort::write(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) {
  if (!is_memory(memory, bytes)) return -EFAULT;
  if (const void* from = host_.mapped(memory, bytes))
    return whole([&] { return host_.call(__NR_pwrite64, disk_.image, from, bytes, at); });
  return pass_on(disk_.memory, memory, disk_.image, at, bytes);
}

std::int64_t BlockPort::flush() {
  return whole([&] { return host_.call(__NR_fdatasync, disk_.image); });
}

}  // namespace devices
