// How large a kernel stack is allocated: by task.cpp, and by who runs the kernel on the host.
#pragma once

#include "guest/sched/task.h"

namespace guest {

#ifdef __SANITIZE_ADDRESS__  // each stack frame has red zones
inline constexpr std::size_t kernel_stack_allocated = 8 * kernel_stack_bytes;
#else
inline constexpr std::size_t kernel_stack_allocated = kernel_stack_bytes;
#endif

}  // namespace guest
