// panic: the kernel's last word. Called from anywhere in kernel mode, on any kernel stack.
#include "guest/base/panic.h"

#include "guest/platform.h"

namespace guest {

void panic(const char* message) {
  hypercalls().panic(message);
}

}  // namespace guest
