// What this system calls itself, in uname and /proc.
#pragma once

namespace guest {

inline constexpr char system_type[] = "Linux";  // whose system-call ABI this is
inline constexpr char system_node[] = "typetwo";
inline constexpr char system_release[] = "6.1.0-typetwo";
inline constexpr char system_version[] = "#1 typetwo guest";

}  // namespace guest
