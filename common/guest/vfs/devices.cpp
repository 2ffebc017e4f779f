// The table of device drivers; see devices.h.
#include "guest/vfs/devices.h"

namespace guest {
namespace {

constinit std::span<const DeviceDriver> all;

}  // namespace

void set_device_drivers(std::span<const DeviceDriver> drivers) {
  all = drivers;
}

Result<Ref<File>> open_device(Ref<Inode> inode, std::uint64_t device, std::uint32_t flags) {
  for (const DeviceDriver& driver : all)
    if (driver.device == device) return driver.open(std::move(inode), flags);
  return Errno::nxio;
}

}  // namespace guest
