// Device files: the drivers behind the guest's device nodes, one table from number to driver.
#pragma once

#include <span>

#include "guest/vfs/device_number.h"
#include "guest/vfs/devices.h"

namespace guest {

/// Linux's own numbers; the marker's is from the range for local use.
inline constexpr std::uint64_t device_null = device_number(1, 3), device_zero = device_number(1, 5),
                               device_full = device_number(1, 7),
                               device_random = device_number(1, 8),
                               device_urandom = device_number(1, 9),
                               device_tty = device_number(5, 0),
                               device_console = device_number(5, 1),
                               device_marker = device_number(240, 0);

/// All of them, for set_device_drivers.
std::span<const DeviceDriver> device_drivers();

// -- Drivers with no header of their own.
Result<Ref<File>> open_null(Ref<Inode> inode, std::uint32_t flags);
Result<Ref<File>> open_zero(Ref<Inode> inode, std::uint32_t flags);
Result<Ref<File>> open_full(Ref<Inode> inode, std::uint32_t flags);
Result<Ref<File>> open_random(Ref<Inode> inode, std::uint32_t flags);
Result<Ref<File>> open_marker(Ref<Inode> inode, std::uint32_t flags);

}  // namespace guest
