// User memory and page frames. User memory is changed by host calls of this process, each of which
// the VMM process sees enter and return. Frames are reached through the direct map, which comes
// and goes with the window: its pages fault in at the first touch after each opening.
#include "baseline-vmm/resident/resident.h"
#include "monitor/guest/process_fd.h"

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

std::int64_t map(std::uint64_t va, vmi::Frame frame, vmi::Frames count, std::uint32_t protection,
                 std::uint32_t flags) {
  std::uint64_t bytes = bytes_of(count).number;
  bool populate = flags & vmi::map_populate;
  // Zeroing through user mappings that are filled anyway costs no fault of its own; through the
  // direct map it would cost one a page.
  bool zero_in_user = (flags & vmi::map_zero) && populate;
  if ((flags & vmi::map_zero) && !zero_in_user) zero_frames(frame, count);
  std::int64_t result = charged_host(host_mmap, va, bytes, protection,
                                     map_shared_fixed | (populate ? host_map_populate : 0),
                                     monitor::guest_memory_fd, vmi::frame_offset(frame));
  if (result < 0) return result;
  if (zero_in_user) zero_bytes(reinterpret_cast<void*>(va), bytes);
  shared_info().counters.pages_mapped += count.number;
  return 0;
}

std::int64_t unmap(std::uint64_t va, vmi::Pages pages) {
  return charged_host(host_munmap, va, bytes_of(pages).number);
}

std::int64_t protect(std::uint64_t va, vmi::Pages pages, std::uint32_t protection) {
  return charged_host(host_mprotect, va, bytes_of(pages).number, protection);
}

vmi::Bytes copy_frame_to_user(vmi::Frame frame, vmi::Bytes offset, std::uint64_t va,
                              vmi::Bytes bytes) {
  const void* from = frame_address(frame, offset);
  return bytes - vmi::Bytes(guarded_copy(reinterpret_cast<void*>(va), from, bytes.number));
}

vmi::Bytes copy_user_to_frame(vmi::Frame frame, vmi::Bytes offset, std::uint64_t va,
                              vmi::Bytes bytes) {
  void* to = frame_address(frame, offset);
  return bytes - vmi::Bytes(guarded_copy(to, reinterpret_cast<const void*>(va), bytes.number));
}

void zero_frames(vmi::Frame frame, vmi::Frames count) {
  zero_bytes(frame_address(frame), bytes_of(count).number);
}

void copy_frames(vmi::Frame to, vmi::Frame from, vmi::Frames count) {
  copy_bytes(frame_address(to), frame_address(from), bytes_of(count).number);
}

void peek_frame(vmi::Frame frame, vmi::Bytes offset, void* to, vmi::Bytes bytes) {
  copy_bytes(to, frame_address(frame, offset), bytes.number);
}

void poke_frame(vmi::Frame frame, vmi::Bytes offset, const void* from, vmi::Bytes bytes) {
  copy_bytes(frame_address(frame, offset), from, bytes.number);
}

}  // namespace baseline
