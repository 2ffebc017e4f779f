// Guest user mappings: runs of page frames at user addresses, by host calls in the current process.
// Hypercalls of the guest kernel; kernel mode.
#include <asm/unistd_64.h>
#include <linux/mman.h>

#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"

namespace extended {

extern "C" std::uint64_t zero_with_landing(std::uint64_t va, std::uint64_t bytes);

std::int64_t map(std::uint64_t va, vmi::Frame frame, vmi::Frames count, std::uint32_t protection,
                 std::uint32_t flags) {
  const std::uint64_t bytes = bytes_of(count).number;
  if (!vmi::is_user_range(va, bytes)) return -22;  // EINVAL: a bug of the guest kernel
  const std::uint64_t populate = flags & vmi::map_populate ? MAP_POPULATE : 0;
  const std::int64_t at =
      counted_host(__NR_mmap, va, bytes, protection, MAP_SHARED | MAP_FIXED | populate,
                   monitor::guest_memory_fd, vmi::frame_offset(frame));
  if (at < 0) return at;
  shared_info().counters.pages_mapped += count.number;
  // Zeroing through the user's own mapping needs no host call and warms the caches for the guest.
  if ((flags & vmi::map_zero) && zero_with_landing(va, bytes) != 0) zero_frames(frame, count);
  return 0;
}

std::int64_t unmap(std::uint64_t va, vmi::Pages pages) {
  const vmi::Bytes bytes = bytes_of(pages);
  if (!vmi::is_user_range(va, bytes)) return -22;
  return counted_host(__NR_munmap, va, bytes.number);
}

std::int64_t protect(std::uint64_t va, vmi::Pages pages, std::uint32_t protection) {
  const vmi::Bytes bytes = bytes_of(pages);
  if (!vmi::is_user_range(va, bytes)) return -22;
  // The host stops with ENOMEM at a hole after it did the pages before and behind it alike.
  return counted_host(__NR_mprotect, va, bytes.number, protection);
}

}  // namespace extended
