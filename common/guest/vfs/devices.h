// Device nodes: what opening one gives. File systems ask here; who serves which number is the
// drivers' affair, and told once at boot (boot/layers.cpp).
#pragma once

#include <cstdint>
#include <span>

#include "guest/vfs/inode.h"

namespace guest {

struct DeviceDriver {
  std::uint64_t device;  // number, see device_number.h
  Result<Ref<File>> (*open)(Ref<Inode> inode, std::uint32_t flags);
};

/// The table must live as long as the kernel.
void set_device_drivers(std::span<const DeviceDriver> drivers);

/// Opens a character device. ENXIO: no driver for that number.
Result<Ref<File>> open_device(Ref<Inode> inode, std::uint64_t device, std::uint32_t flags);

}  // namespace guest
