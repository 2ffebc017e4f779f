// The table of system calls: one line each, number of the x86-64 ABI, and how far it is served.
//   full     behaves as Linux for every argument we know of
//   partly   the note says what is missing
//   refused  known, answered by a fixed error (the note says which)
// What is not listed returns ENOSYS and is counted by number (SharedInfo::unknown_syscall).
// Handlers live one family a file, FAMILY_calls.cpp; above each part of the table stands which.
#pragma once

// X(number, name, support, note)
#define GUEST_SYSCALLS(X)   \
  GUEST_SYSCALLS_FILES(X)   \
  GUEST_SYSCALLS_SOCKETS(X) \
  GUEST_SYSCALLS_IPC(X)     \
  GUEST_SYSCALLS_MEMORY(X)  \
  GUEST_SYSCALLS_PROCESSES(X)

#include "guest/syscall/table_files.h"
#include "guest/syscall/table_ipc.h"
#include "guest/syscall/table_memory.h"
#include "guest/syscall/table_processes.h"
#include "guest/syscall/table_sockets.h"
