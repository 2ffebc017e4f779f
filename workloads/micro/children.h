// What the fork programs share: children, one after the other, each waited for.
#pragma once

#include <sys/wait.h>

#include "marker.h"

namespace micro {

/// The i-th child calls `child(i)`, which ends it. The sum of their exit statuses.
template <class Child>
std::uint64_t run_children(const char* name, std::uint64_t count, Child child) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const pid_t pid = fork();
    if (pid < 0) fail(name, "fork failed");
    if (pid == 0) child(i);
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) fail(name, "a child ended badly");
    sum += static_cast<std::uint64_t>(WEXITSTATUS(status));
  }
  return sum;
}

}  // namespace micro
