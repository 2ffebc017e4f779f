// What the fork programs share: children, one after the other, each waited for.
#pragma once

#include <sys/wait.h>

#include "marker.h"

namespace micro {

/// `child(status)` ends a child with that exit status, another one for each. How many did.
template <class Child>
std::uint64_t run_children(const char* name, std::uint64_t count, Child child) {
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const int own_status = static_cast<int>(i % 100 + 1);
    const pid_t pid = fork();
    if (pid < 0) fail(name, "fork failed");
    if (pid == 0) child(own_status);
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) fail(name, "a child ended badly");
    right += WEXITSTATUS(status) == own_status;
  }
  return right;
}

}  // namespace micro
