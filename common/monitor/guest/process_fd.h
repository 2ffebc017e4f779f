// Descriptor numbers inside a guest-machine process: launchers make them, resident parts use them.
#pragma once

namespace monitor {

inline constexpr int guest_memory_fd = 3;
inline constexpr int guest_block_fd = 4;  // only where devices run in this process
inline constexpr int guest_wake_fd = 5;   // an eventfd that wakes the launcher, where there is one
// The socket device's (devices/socket_port.h), where there is one.
inline constexpr int guest_doorbell_fd = 6, guest_awake_fd = 7;

}  // namespace monitor
