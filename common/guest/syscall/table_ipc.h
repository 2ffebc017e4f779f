// System calls of System V interprocess communication: see table.h.
#pragma once

// X(number, name, support, note)
#define GUEST_SYSCALLS_IPC(X) \
  GUEST_SYSCALLS_SHARED_MEMORY(X) GUEST_SYSCALLS_SEMAPHORES(X) GUEST_SYSCALLS_QUEUES(X)

// shared_memory_calls.cpp
#define GUEST_SYSCALLS_SHARED_MEMORY(X)  \
  X(29, shmget, partly, "no huge pages") \
  X(30, shmat, full, "")                 \
  X(31, shmctl, full, "")                \
  X(67, shmdt, full, "")

// semaphore_calls.cpp
#define GUEST_SYSCALLS_SEMAPHORES(X)         \
  X(64, semget, full, "")                    \
  X(65, semop, partly,                       \
    "undone at the end of its own process: " \
    "not shared by CLONE_SYSVSEM")           \
  X(66, semctl, full, "")                    \
  X(220, semtimedop, partly, "as semop")

// message_queue_calls.cpp
#define GUEST_SYSCALLS_QUEUES(X)       \
  X(68, msgget, full, "")              \
  X(69, msgsnd, full, "")              \
  X(70, msgrcv, partly, "no MSG_COPY") \
  X(71, msgctl, full, "")
