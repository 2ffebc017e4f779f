// The disk, from inside the guest-machine process: raw host calls on the image's descriptor. What
// moves between image and mapped guest memory goes straight; page frames are not mapped under
// protect=mprotect, so there the host copies from file to file (for 64 MiB 12 to 15 ms of CPU time;
// through a buffer of 32 KiB it took 18 to 23, by mapping each piece 16 to 43).
#include <asm/errno.h>
#include <asm/unistd_64.h>
#include <linux/fs.h>

#include "extended-vmm/resident/host_port.h"
#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"

namespace extended {
namespace {

bool in_memory(std::uint64_t memory, std::uint64_t bytes) {
  const std::uint64_t total = vmi::ram_offset + image().start_info.ram_bytes;
  return memory <= total && bytes <= total - memory;
}

/// Is it mapped now? RAM lies behind the window, or nowhere.
bool is_mapped(std::uint64_t memory, std::uint64_t bytes) {
  return image().start_info.protection.ram_is_mapped || memory + bytes <= vmi::window_size;
}

void* mapped(std::uint64_t memory) {
  return reinterpret_cast<void*>(vmi::window_base + memory);
}

/// From one descriptor to the other: bytes that arrived. Nobody else uses their positions.
std::int64_t pass_on(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                     std::uint64_t bytes) {
  const std::int64_t at = counted_host(__NR_lseek, to, to_offset, SEEK_SET);
  if (at < 0) return at;
  return counted_host_whole(__NR_sendfile, to, from, &from_offset, bytes);
}

}  // namespace

std::uint64_t HostPort::block_bytes() {
  return image().start_info.block_bytes;
}
bool HostPort::block_read_only() {
  return image().start_info.block_read_only != 0;
}

std::int64_t HostPort::read_block(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) {
  if (!in_memory(memory, bytes)) return -EFAULT;
  if (is_mapped(memory, bytes))
    return counted_host_whole(__NR_pread64, monitor::guest_block_fd, mapped(memory), bytes, at);
  return pass_on(monitor::guest_block_fd, at, monitor::guest_memory_fd, memory, bytes);
}

std::int64_t HostPort::write_block(std::uint64_t at, std::uint64_t memory, std::uint64_t bytes) {
  if (!in_memory(memory, bytes)) return -EFAULT;
  if (is_mapped(memory, bytes))
    return counted_host_whole(__NR_pwrite64, monitor::guest_block_fd, mapped(memory), bytes, at);
  return pass_on(monitor::guest_memory_fd, memory, monitor::guest_block_fd, at, bytes);
}

std::int64_t HostPort::flush_block() {
  return counted_host_whole(__NR_fdatasync, monitor::guest_block_fd);
}

}  // namespace extended
