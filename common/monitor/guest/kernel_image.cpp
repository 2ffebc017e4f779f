// The embedded guest kernel: one image for both monitors.
#include "monitor/guest/memory.h"

// Laid by embed_image() in CMakeLists.txt.
extern "C" const std::byte guest_kernel_begin[];
extern "C" const std::byte guest_kernel_end[];

namespace monitor {

std::span<const std::byte> kernel_image() {
  return {guest_kernel_begin, guest_kernel_end};
}

}  // namespace monitor
