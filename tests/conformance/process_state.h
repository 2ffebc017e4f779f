// What a process is doing, as /proc says: 'S' for asleep, 'T' for stopped, 'Z' when it has ended.
// For tests that must meet a call while it sleeps.
#pragma once

#include <fcntl.h>

#include "check.h"

inline char state_of(pid_t pid) {
  char path[32], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY);
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  text[got < 0 ? 0 : got] = '\0';
  const char* end = strrchr(text, ')');
  return end ? end[2] : '?';
}

/// Or it has ended.
inline void wait_for_state(pid_t pid, char wanted) {
  for (char state = 0; state != wanted && state != 'Z'; state = state_of(pid)) usleep(1000);
}
