// Called at each read of the device's register.
#include "devices/entropy_port.h"

#include <asm-generic/errno.h>

namespace devices {

void EntropyPort::fill(void* data, std::size_t bytes) {
  auto* at = static_cast<unsigned char*>(data);
  while (bytes != 0) {
    const std::int64_t got = host_.call(__NR_getrandom, at, bytes, 0);
    if (got == -EINTR) continue;
    if (got <= 0) host_.give_up("getrandom", got);
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

}  // namespace devices
