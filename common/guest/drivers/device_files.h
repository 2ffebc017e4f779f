// Device files: what opening a device node gives. One table, from device number to driver.
#pragma once

#include <cstdint>

#include "guest/vfs/inode.h"

namespace guest {

/// Device numbers of the guest (Linux's own; the marker's is from the range for local use).
constexpr std::uint64_t device_number(std::uint32_t major, std::uint32_t minor) {
  return (static_cast<std::uint64_t>(major & 0xfff) << 8) | (minor & 0xff);
}
constexpr std::uint32_t device_major(std::uint64_t device) {
  return device >> 8 & 0xfff;
}
constexpr std::uint32_t device_minor(std::uint64_t device) {
  return static_cast<std::uint32_t>((device & 0xff) | (device >> 12 & 0xfff00));
}
inline constexpr std::uint64_t device_null = device_number(1, 3), device_zero = device_number(1, 5),
                               device_full = device_number(1, 7),
                               device_random = device_number(1, 8),
                               device_urandom = device_number(1, 9),
                               device_tty = device_number(5, 0),
                               device_console = device_number(5, 1),
                               device_marker = device_number(240, 0);

/// ENXIO: no driver for that number.
Result<Ref<File>> open_device(Ref<Inode> inode, std::uint64_t device, std::uint32_t flags);

// -- Drivers with no header of their own.
Result<Ref<File>> open_null(Ref<Inode> inode, std::uint32_t flags);
Result<Ref<File>> open_zero(Ref<Inode> inode, std::uint32_t flags);
Result<Ref<File>> open_full(Ref<Inode> inode, std::uint32_t flags);
Result<Ref<File>> open_random(Ref<Inode> inode, std::uint32_t flags);
Result<Ref<File>> open_marker(Ref<Inode> inode, std::uint32_t flags);

}  // namespace guest
