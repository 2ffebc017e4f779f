// Device numbers, as stat shows them and device nodes carry them: Linux's encoding.
#pragma once

#include <cstdint>

namespace guest {

constexpr std::uint64_t device_number(std::uint32_t major, std::uint32_t minor) {
  return (static_cast<std::uint64_t>(major & 0xfff) << 8) | (minor & 0xff);
}
constexpr std::uint32_t device_major(std::uint64_t device) {
  return device >> 8 & 0xfff;
}
constexpr std::uint32_t device_minor(std::uint64_t device) {
  return static_cast<std::uint32_t>((device & 0xff) | (device >> 12 & 0xfff00));
}

/// What stat shows for files that lie on no disk: one number for each file system, as `df` tells
/// mounts apart by it.
enum UnnamedDevice : std::uint64_t {
  device_of_ram = 1,
  device_of_pipes,
  device_of_proc,
  device_of_sys,
  device_of_events,
  device_of_sockets,
};

}  // namespace guest
