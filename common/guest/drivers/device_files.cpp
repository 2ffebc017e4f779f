// The table of device files. A new driver is a function beside the others and a line here.
#include "guest/drivers/device_files.h"

#include "guest/drivers/console.h"

namespace guest {
namespace {

constexpr DeviceDriver drivers[] = {
    {device_null, open_null},       {device_zero, open_zero},      {device_full, open_full},
    {device_random, open_random},   {device_urandom, open_random}, {device_tty, open_terminal},
    {device_console, open_console}, {device_marker, open_marker},
};

}  // namespace

std::span<const DeviceDriver> device_drivers() {
  return drivers;
}

}  // namespace guest
