// System calls on a process's own memory: memory_calls.cpp. See table.h.
#pragma once

#define GUEST_SYSCALLS_MEMORY(X)                                                            \
  X(9, mmap, partly, "huge pages refused; MAP_LOCKED and MAP_GROWSDOWN have no effect")     \
  X(10, mprotect, partly, "PROT_GROWSDOWN and PROT_GROWSUP refused")                        \
  X(11, munmap, full, "")                                                                   \
  X(12, brk, full, "")                                                                      \
  X(25, mremap, partly, "no MREMAP_DONTUNMAP, no old size of 0")                            \
  X(26, msync, partly, "MS_INVALIDATE of locked pages is no error")                         \
  X(27, mincore, partly, "pages that a fault beside them has brought in count as present")  \
  X(28, madvise, partly, "MADV_DONTNEED acts, other hints are accepted and have no effect") \
  X(149, mlock, full, "guest memory is never swapped out")                                  \
  X(150, munlock, full, "")                                                                 \
  X(151, mlockall, partly, "accepted; brings no pages in")                                  \
  X(152, munlockall, full, "")                                                              \
  X(325, mlock2, full, "as mlock")
