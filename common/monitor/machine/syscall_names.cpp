// The table comes from the C library's <asm/unistd_64.h>, read by CMake (see CMakeLists.txt), so
// that it is as new as the build host's headers.
#include "monitor/machine/syscall_names.h"

#include <fmt/format.h>

namespace monitor {

namespace {
struct Name {
  std::uint64_t number;
  const char* name;
};
constexpr Name names[] = {
#include "syscall_names.inc"
};
}  // namespace

std::string syscall_name(std::uint64_t number) {
  for (const Name& known : names) {
    if (known.number == number) return known.name;
  }
  return fmt::format("syscall {}", number);
}

}  // namespace monitor
