// The table of device files. A new driver is a function beside the others and a line here.
#include "guest/drivers/device_files.h"

#include "guest/drivers/console.h"

namespace guest {
namespace {

struct Driver {
  std::uint64_t device;
  Result<Ref<File>> (*open)(Ref<Inode>, std::uint32_t);
};

constexpr Driver drivers[] = {
    {device_null, open_null},       {device_zero, open_zero},      {device_full, open_full},
    {device_random, open_random},   {device_urandom, open_random}, {device_tty, open_terminal},
    {device_console, open_console}, {device_marker, open_marker},
};

}  // namespace

Result<Ref<File>> open_device(Ref<Inode> inode, std::uint64_t device, std::uint32_t flags) {
  for (const Driver& driver : drivers)
    if (driver.device == device) return driver.open(std::move(inode), flags);
  return Errno::nxio;
}

}  // namespace guest
