// Page frames' contents, for a guest kernel that has no pointer to them. Two ways, by protection:
//   mmap, none: RAM is mapped behind the window while the kernel runs: plain copies.
//   mprotect:   RAM is never mapped: pread and pwrite on the memfd, straight to or from the user
//               address. One copy, and the host kernel itself checks the user page.
// Hypercalls of the guest kernel; kernel mode.
#include <asm/unistd_64.h>

#include <cstring>

#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"

extern "C" std::uint64_t copy_with_landing(void* to, const void* from, std::uint64_t bytes);

namespace extended {
namespace {

struct IoVector {
  const void* base;
  std::uint64_t bytes;
};

alignas(vmi::page_size) unsigned char zero_page[vmi::page_size];
alignas(vmi::page_size) unsigned char bounce_page[vmi::page_size];

bool ram_is_mapped() {
  return image().start_info.protection.ram_is_mapped;
}

unsigned char* direct(vmi::Frame frame, vmi::Bytes offset) {
  return reinterpret_cast<unsigned char*>(vmi::ram_base + bytes_of(vmi::Frames(frame)) + offset);
}

std::uint64_t at(vmi::Frame frame, vmi::Bytes offset) {
  return vmi::frame_offset(frame) + offset;
}

monitor::Moved read_memory(void* to, vmi::Bytes bytes, std::uint64_t offset) {
  return monitor::move_whole(bytes.number, [=](std::uint64_t done, std::uint64_t left) {
    return counted_host(__NR_pread64, monitor::guest_memory_fd, static_cast<char*>(to) + done, left,
                        offset + done);
  });
}

monitor::Moved write_memory(const void* from, vmi::Bytes bytes, std::uint64_t offset) {
  return monitor::move_whole(bytes.number, [=](std::uint64_t done, std::uint64_t left) {
    return counted_host(__NR_pwrite64, monitor::guest_memory_fd,
                        static_cast<const char*>(from) + done, left, offset + done);
  });
}

/// Bytes that went from or to user pages: as many as those allowed.
vmi::Bytes as_user_allows(const char* call, vmi::Bytes bytes, monitor::Moved moved) {
  if (moved.bytes != bytes.number && moved.error != -EFAULT) die_of_host_call(call, moved.error);
  return vmi::Bytes(moved.bytes);
}

/// The monitor's own memory has no reason to stop a transfer.
void all(const char* call, vmi::Bytes bytes, monitor::Moved moved) {
  if (moved.bytes != bytes.number) die_of_host_call(call, moved.error);
}

}  // namespace

vmi::Bytes copy_frame_to_user(vmi::Frame frame, vmi::Bytes offset, std::uint64_t va,
                              vmi::Bytes bytes) {
  if (!vmi::is_user_range(va, bytes)) return {};
  void* user = reinterpret_cast<void*>(va);
  if (ram_is_mapped())
    return bytes - vmi::Bytes(copy_with_landing(user, direct(frame, offset), bytes.number));
  return as_user_allows("pread64", bytes, read_memory(user, bytes, at(frame, offset)));
}

vmi::Bytes copy_user_to_frame(vmi::Frame frame, vmi::Bytes offset, std::uint64_t va,
                              vmi::Bytes bytes) {
  if (!vmi::is_user_range(va, bytes)) return {};
  const void* user = reinterpret_cast<const void*>(va);
  if (ram_is_mapped())
    return bytes - vmi::Bytes(copy_with_landing(direct(frame, offset), user, bytes.number));
  return as_user_allows("pwrite64", bytes, write_memory(user, bytes, at(frame, offset)));
}

void zero_frames(vmi::Frame frame, vmi::Frames count) {
  const vmi::Bytes bytes = bytes_of(count);
  if (ram_is_mapped()) {
    std::memset(direct(frame, {}), 0, bytes.number);
    return;
  }
  all("pwritev", bytes,
      monitor::move_whole(bytes.number, [=](std::uint64_t done, std::uint64_t left) {
        constexpr std::uint32_t batch = 32;
        IoVector vectors[batch];
        std::uint32_t used = 0;
        for (; used < batch && left != 0; left -= vectors[used++].bytes)
          vectors[used] = {zero_page, left < vmi::page_size ? left : vmi::page_size};
        return counted_host(__NR_pwritev, monitor::guest_memory_fd, vectors, used,
                            at(frame, vmi::Bytes(done)), 0, 0);
      }));
}

void copy_frames(vmi::Frame to, vmi::Frame from, vmi::Frames count) {
  constexpr vmi::Bytes page(vmi::page_size);
  for (const vmi::Frame end = from + count; from != end; ++to, ++from) {
    if (ram_is_mapped()) {
      std::memcpy(direct(to, {}), direct(from, {}), page.number);
    } else {
      all("pread64", page, read_memory(bounce_page, page, at(from, {})));
      all("pwrite64", page, write_memory(bounce_page, page, at(to, {})));
    }
  }
}

void peek_frame(vmi::Frame frame, vmi::Bytes offset, void* to, vmi::Bytes bytes) {
  if (ram_is_mapped()) {
    std::memcpy(to, direct(frame, offset), bytes.number);
  } else {
    open_attic(to, bytes.number);
    all("pread64", bytes, read_memory(to, bytes, at(frame, offset)));
  }
}

void poke_frame(vmi::Frame frame, vmi::Bytes offset, const void* from, vmi::Bytes bytes) {
  if (ram_is_mapped()) {
    std::memcpy(direct(frame, offset), from, bytes.number);
  } else {
    open_attic(from, bytes.number);
    all("pwrite64", bytes, write_memory(from, bytes, at(frame, offset)));
  }
}

}  // namespace extended
