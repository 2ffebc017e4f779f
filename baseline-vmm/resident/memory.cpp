// User memory and page frames. User memory is changed by host calls of this process, each of which
// the VMM process sees enter and return. Frames are reached through the direct map, which comes
// and goes with the window: its pages fault in at the first touch after each opening.
#include "baseline-vmm/resident/resident.h"
#include "monitor/guest_process_fd.h"

namespace baseline {

namespace {

enum HostCallNumber : std::uint64_t { host_mmap = 9, host_mprotect = 10, host_munmap = 11 };
constexpr std::uint64_t map_shared_fixed = 0x11, host_map_populate = 0x8000;

template <class... A>
std::int64_t charged_host(HostCallNumber number, A... arguments) {
  vmi::Charged charged(time_accounts(), vmi::account_host_calls);
  return host(number, arguments...);
}

}  // namespace

std::int64_t map(std::uint64_t va, vmi::Frame frame, std::uint32_t pages, std::uint32_t protection,
                 std::uint32_t flags) {
  std::uint64_t bytes = static_cast<std::uint64_t>(pages) << vmi::page_shift;
  bool populate = flags & vmi::map_populate;
  // Zeroing through user mappings that are filled anyway costs no fault of its own; through the
  // direct map it would cost one a page.
  bool zero_in_user = (flags & vmi::map_zero) && populate;
  if ((flags & vmi::map_zero) && !zero_in_user) zero_frames(frame, pages);
  std::int64_t result = charged_host(host_mmap, va, bytes, protection,
                                     map_shared_fixed | (populate ? host_map_populate : 0),
                                     monitor::guest_memory_fd, vmi::frame_offset(frame));
  if (result < 0) return result;
  if (zero_in_user) zero_bytes(reinterpret_cast<void*>(va), bytes);
  shared_info().counters.pages_mapped += pages;
  return 0;
}

std::int64_t unmap(std::uint64_t va, std::uint64_t pages) {
  return charged_host(host_munmap, va, pages << vmi::page_shift);
}

std::int64_t protect(std::uint64_t va, std::uint64_t pages, std::uint32_t protection) {
  return charged_host(host_mprotect, va, pages << vmi::page_shift, protection);
}

std::uint64_t copy_frame_to_user(vmi::Frame frame, std::uint64_t offset, std::uint64_t va,
                                 std::uint64_t bytes) {
  return bytes - guarded_copy(reinterpret_cast<void*>(va), frame_address(frame, offset), bytes);
}

std::uint64_t copy_user_to_frame(vmi::Frame frame, std::uint64_t offset, std::uint64_t va,
                                 std::uint64_t bytes) {
  return bytes -
         guarded_copy(frame_address(frame, offset), reinterpret_cast<const void*>(va), bytes);
}

void zero_frames(vmi::Frame frame, std::uint32_t count) {
  zero_bytes(frame_address(frame), static_cast<std::uint64_t>(count) << vmi::page_shift);
}

void copy_frames(vmi::Frame to, vmi::Frame from, std::uint32_t count) {
  copy_bytes(frame_address(to), frame_address(from),
             static_cast<std::uint64_t>(count) << vmi::page_shift);
}

void peek_frame(vmi::Frame frame, std::uint64_t offset, void* to, std::uint64_t bytes) {
  copy_bytes(to, frame_address(frame, offset), bytes);
}

void poke_frame(vmi::Frame frame, std::uint64_t offset, const void* from, std::uint64_t bytes) {
  copy_bytes(frame_address(frame, offset), from, bytes);
}

}  // namespace baseline
