// Guest memory: the memfd behind window and RAM, its mapping in the launcher, and its filling.
// Used by both launchers before they start a guest-machine process, which maps the same memfd.
#include "monitor/guest/memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "monitor/guest/elf_image.h"
#include "monitor/host/cgroup.h"
#include "monitor/host/probe.h"
#include "monitor/machine/clock.h"
#include "monitor/machine/time_scale.h"
#include "monitor/tool/error.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1; Debian 12's headers are older than its kernel
#endif

namespace monitor {

namespace {

constexpr const char* smaller = "use a smaller --memory";

std::uint64_t mebibytes(std::uint64_t bytes) {
  return bytes >> 20;
}

/// Maps `fd` at an address that suits 2 MiB pages.
std::byte* map_aligned(int fd, std::uint64_t bytes) {
  std::uint64_t reserved = bytes + vmi::huge_page_size;
  void* area =
      mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED) throw_errno("cannot reserve addresses for guest memory", smaller);
  auto begin = reinterpret_cast<std::uintptr_t>(area);
  std::uintptr_t aligned = (begin + vmi::huge_page_size - 1) & ~(vmi::huge_page_size - 1);
  void* mapped = mmap(reinterpret_cast<void*>(aligned), bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_FIXED, fd, 0);
  if (mapped == MAP_FAILED) {
    int cause = errno;
    munmap(area, reserved);
    errno = cause;
    throw_errno("cannot map guest memory", smaller);
  }
  // Give back what alignment did not need, on either side.
  if (aligned > begin) munmap(area, aligned - begin);
  std::uintptr_t end = aligned + bytes;
  if (begin + reserved > end) munmap(reinterpret_cast<void*>(end), begin + reserved - end);
  return static_cast<std::byte*>(mapped);
}

/// To each page of its own, now.
void give_memory(std::byte* begin, std::uint64_t bytes) {
  if (madvise(begin, bytes, MADV_POPULATE_WRITE) == 0) return;
  if (errno != EINVAL) throw_errno("cannot fill guest memory", smaller);
  // Before Linux 5.14: write to each page; it is zero, and stays so.
  for (std::uint64_t at = 0; at < bytes; at += vmi::page_size) {
    volatile std::byte* byte = begin + at;
    *byte = *byte;
  }
}

}  // namespace

bool is_ram_size(std::uint64_t bytes) {
  return bytes >= vmi::ram_min && bytes <= vmi::ram_max && bytes % vmi::page_size == 0;
}

std::uint32_t GuestMemory::attic_slabs() const {
  constexpr std::uint64_t least = 16ul << 20;
  const std::uint64_t bytes = std::max(least, ram_bytes_ / 8);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(bytes / vmi::attic_slab_bytes, vmi::attic_slabs_max));
}

std::uint64_t GuestMemory::used_bytes() const {
  return vmi::window_size + attic_slabs() * vmi::attic_slab_bytes + ram_bytes_;
}

GuestMemory::GuestMemory(std::uint64_t ram_bytes) : ram_bytes_(ram_bytes) {
  begin_time_calibration();
  if (!is_ram_size(ram_bytes)) {
    throw HostError(fmt::format(
        "guest memory of {} bytes is not possible; --memory takes {} to {} MiB, whole 4 KiB pages",
        ram_bytes, mebibytes(vmi::ram_min), mebibytes(vmi::ram_max)));
  }
  // Asked before anything is filled: a host out of memory would not refuse, it would kill.
  std::uint64_t available = probe::memory_available();
  if (auto group = cgroup_memory()) available = std::min(available, group->left);
  if (used_bytes() > available) {
    throw HostError(fmt::format("guest memory of {} MiB does not fit: the host has {} MiB left; {}",
                                mebibytes(ram_bytes), mebibytes(available), smaller));
  }
  fd_ = memfd_create("typetwo-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd_ < 0) throw_errno("cannot create guest memory (memfd_create)");
  try {
    if (ftruncate(fd_, static_cast<off_t>(total_bytes())) != 0) {
      throw_errno("cannot size guest memory", smaller);
    }
    // A guest-machine process holds the descriptor: what it can do with it must not change the
    // size.
    if (fcntl(fd_, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
      throw_errno("cannot seal guest memory");
    }
    base_ = map_aligned(fd_, total_bytes());
  } catch (...) {
    close(fd_);
    throw;
  }
}

GuestMemory::~GuestMemory() {
  munmap(base_, total_bytes());
  close(fd_);
}

void GuestMemory::fill_ram(std::uint64_t from, std::uint64_t bytes) {
  if (bytes != 0) give_memory(base_ + vmi::ram_offset + from, bytes);
}

double GuestMemory::prefault(Fill fill) {
  double begin = monotonic_seconds();
  give_memory(base_, vmi::window_size);
  fill_ram(0, filled_before(fill, ram_bytes_));
  // The host collapses no range without a page in it.
  for (std::uint32_t slab = 0; slab < attic_slabs(); ++slab)
    for (std::uint64_t piece = 0; piece < vmi::attic_slab_bytes; piece += vmi::huge_page_size)
      give_memory(at(vmi::attic_slab(slab) + piece), vmi::page_size);
  // A busy page makes the first attempt fail now and then.
  for (int attempt = 0; attempt < 3 && !window_is_huge_; ++attempt) {
    window_is_huge_ = madvise(base_, vmi::window_size, MADV_COLLAPSE) == 0;
    if (!window_is_huge_ && errno != EAGAIN && errno != EBUSY) break;
  }
  return monotonic_seconds() - begin;
}

std::byte* GuestMemory::at(std::uint64_t address) const {
  bool inside = (address >= vmi::window_base && address < vmi::window_end) ||
                vmi::is_in_attic(address, 1, attic_slabs());
  return inside ? base_ + (address - vmi::window_base) : nullptr;
}

std::byte* GuestMemory::frame(vmi::Frame frame) const {
  return base_ + vmi::frame_offset(frame);
}

vmi::SharedInfo& GuestMemory::shared_info() const {
  return *reinterpret_cast<vmi::SharedInfo*>(at(vmi::shared_info_base));
}

vmi::BootInfo& GuestMemory::boot_info() const {
  return *reinterpret_cast<vmi::BootInfo*>(at(vmi::boot_info_base));
}

vmi::Accounts& GuestMemory::accounts() const {
  return *reinterpret_cast<vmi::Accounts*>(at(vmi::accounts_base));
}

vmi::Rings& GuestMemory::rings() const {
  return *reinterpret_cast<vmi::Rings*>(at(vmi::rings_base));
}

vmi::KernelHeader& GuestMemory::kernel_header() const {
  return *reinterpret_cast<vmi::KernelHeader*>(at(vmi::kernel_base));
}

void GuestMemory::load_image(std::span<const std::byte> elf, std::uint64_t begin,
                             std::uint64_t end) {
  std::string name = begin == vmi::kernel_base ? "guest kernel" : "resident part";
  ElfImage image(elf, name);
  for (const ElfSegment& segment : image.segments()) {
    if (segment.address < begin || segment.address > end ||
        segment.memory_bytes > end - segment.address) {
      throw HostError(fmt::format(
          "{}: its segment of {} bytes at {:#x} does not fit in {:#x} to {:#x}; rebuild typetwo",
          name, segment.memory_bytes, segment.address, begin, end));
    }
  }
  for (const ElfSegment& segment : image.segments()) {
    std::byte* to = at(segment.address);
    std::copy(segment.file_bytes.begin(), segment.file_bytes.end(), to);
    std::fill(to + segment.file_bytes.size(), to + segment.memory_bytes, std::byte{0});
  }
}

}  // namespace monitor
