// How kernel code gives up: the launcher prints message, registers and kernel stack.
#pragma once

namespace guest {

[[noreturn]] void panic(const char* message);

}  // namespace guest

#define GUEST_STRINGIZE_(x) #x
#define GUEST_STRINGIZE(x) GUEST_STRINGIZE_(x)

/// An invariant of the kernel itself. Never for anything a guest program can bring about.
#define KERNEL_ASSERT(condition)                                                             \
  do {                                                                                       \
    if (!(condition))                                                                        \
      ::guest::panic(__FILE_NAME__ ":" GUEST_STRINGIZE(__LINE__) ": assertion " #condition); \
  } while (0)
