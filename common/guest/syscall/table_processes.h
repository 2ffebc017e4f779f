// The table of system calls, second part: processes, signals, time, identity, machine. See table.h
// for what the columns mean; a note is wanted wherever support is less than full.
#pragma once

// X(number, name, support, note)
#define GUEST_SYSCALLS_PROCESSES(X) \
  GUEST_SYSCALLS_LIFE(X)            \
  GUEST_SYSCALLS_EXEC(X)            \
  GUEST_SYSCALLS_PIDFD(X)           \
  GUEST_SYSCALLS_SIGNALS(X)         \
  GUEST_SYSCALLS_TIME(X)            \
  GUEST_SYSCALLS_IDENTITY(X)        \
  GUEST_SYSCALLS_MACHINE(X)         \
  GUEST_SYSCALLS_RESOURCES(X)       \
  GUEST_SYSCALLS_SCHEDULING(X)      \
  GUEST_SYSCALLS_THREADS(X)         \
  GUEST_SYSCALLS_FUTEX(X)

// process_calls.cpp
#define GUEST_SYSCALLS_LIFE(X)                                   \
  X(56, clone, partly, "no namespaces, pidfds, tracing: EINVAL") \
  X(57, fork, full, "")                                          \
  X(58, vfork, full, "")                                         \
  X(60, exit, full, "")                                          \
  X(61, wait4, full, "")                                         \
  X(231, exit_group, full, "")                                   \
  X(247, waitid, full, "")                                       \
  X(435, clone3, partly, "as clone; no set_tid, no cgroup, no pidfd: EINVAL")

// exec_calls.cpp
#define GUEST_SYSCALLS_EXEC(X)                                                    \
  X(59, execve, partly, "x86-64 programs; arguments and environment up to 2 MiB") \
  X(322, execveat, partly, "as execve")

// pidfd_calls.cpp
#define GUEST_SYSCALLS_PIDFD(X)       \
  X(424, pidfd_send_signal, full, "") \
  X(434, pidfd_open, full, "")

// signal_calls.cpp
#define GUEST_SYSCALLS_SIGNALS(X)   \
  X(13, rt_sigaction, full, "")     \
  X(14, rt_sigprocmask, full, "")   \
  X(15, rt_sigreturn, full, "")     \
  X(34, pause, full, "")            \
  X(62, kill, full, "")             \
  X(127, rt_sigpending, full, "")   \
  X(128, rt_sigtimedwait, full, "") \
  X(129, rt_sigqueueinfo, full, "") \
  X(130, rt_sigsuspend, full, "")   \
  X(131, sigaltstack, full, "")     \
  X(200, tkill, full, "")           \
  X(219, restart_syscall, full, "") \
  X(234, tgkill, full, "")          \
  X(297, rt_tgsigqueueinfo, full, "")

// time_calls.cpp, interval_calls.cpp, posix_timer_calls.cpp
#define GUEST_SYSCALLS_TIME(X)                                                 \
  X(35, nanosleep, full, "")                                                   \
  X(36, getitimer, full, "")                                                   \
  X(37, alarm, full, "")                                                       \
  X(38, setitimer, partly, "CPU time is looked at on 10 ms ticks")             \
  X(96, gettimeofday, full, "")                                                \
  X(100, times, partly, "user and system time as ticks of 10 ms find them")    \
  X(164, settimeofday, refused, "EPERM: the clock is the host's")              \
  X(201, time, full, "")                                                       \
  X(222, timer_create, full, "")                                               \
  X(223, timer_settime, partly, "CPU time is looked at on 10 ms ticks")        \
  X(224, timer_gettime, full, "")                                              \
  X(225, timer_getoverrun, full, "")                                           \
  X(226, timer_delete, full, "")                                               \
  X(227, clock_settime, refused, "EPERM: the clock is the host's")             \
  X(228, clock_gettime, full, "")                                              \
  X(229, clock_getres, full, "")                                               \
  X(230, clock_nanosleep, partly, "wakes on 10 ms ticks when busy")

// identity_calls.cpp
#define GUEST_SYSCALLS_IDENTITY(X)                                 \
  X(39, getpid, full, "")                                          \
  X(102, getuid, full, "")                                         \
  X(104, getgid, full, "")                                         \
  X(105, setuid, full, "")                                         \
  X(106, setgid, full, "")                                         \
  X(107, geteuid, full, "")                                        \
  X(108, getegid, full, "")                                        \
  X(109, setpgid, partly, "also allowed after the child's execve") \
  X(110, getppid, full, "")                                        \
  X(111, getpgrp, full, "")                                        \
  X(112, setsid, full, "")                                         \
  X(113, setreuid, full, "")                                       \
  X(114, setregid, full, "")                                       \
  X(115, getgroups, full, "")                                      \
  X(116, setgroups, full, "")                                      \
  X(117, setresuid, full, "")                                      \
  X(118, getresuid, full, "")                                      \
  X(119, setresgid, full, "")                                      \
  X(120, getresgid, full, "")                                      \
  X(121, getpgid, full, "")                                        \
  X(124, getsid, full, "")                                         \
  X(186, gettid, full, "")

// machine_calls.cpp
#define GUEST_SYSCALLS_MACHINE(X) \
  X(63, uname, full, "")          \
  X(99, sysinfo, partly, "buffers and shared memory are not counted")

// resource_calls.cpp
#define GUEST_SYSCALLS_RESOURCES(X)                                                        \
  X(97, getrlimit, full, "")                                                               \
  X(98, getrusage, partly, "CPU time (its shares as times), and the most memory")          \
  X(160, setrlimit, partly, "MEMLOCK, NICE, RTPRIO and RTTIME are kept and reported")      \
  X(302, prlimit64, partly, "as setrlimit")

// scheduling_calls.cpp
#define GUEST_SYSCALLS_SCHEDULING(X)                                                         \
  X(142, sched_setparam, partly, "as sched_setscheduler")                                    \
  X(143, sched_getparam, full, "")                                                           \
  X(144, sched_setscheduler, partly, "of processes; kept and reported: round robin for all") \
  X(145, sched_getscheduler, full, "")                                                       \
  X(146, sched_get_priority_max, full, "")                                                   \
  X(147, sched_get_priority_min, full, "")                                                   \
  X(148, sched_rr_get_interval, full, "")                                                    \
  X(251, ioprio_set, partly, "of processes; kept and reported")                              \
  X(252, ioprio_get, partly, "of processes")                                                 \
  X(24, sched_yield, full, "")                                                               \
  X(140, getpriority, partly, "of processes: EINVAL for groups and users")                   \
  X(141, setpriority, partly, "as getpriority; kept and reported: round robin knows none")   \
  X(203, sched_setaffinity, full, "")                                                        \
  X(204, sched_getaffinity, full, "")                                                        \
  X(309, getcpu, full, "")

// thread_calls.cpp
#define GUEST_SYSCALLS_THREADS(X)                                                       \
  X(135, personality, partly, "PER_LINUX and ADDR_NO_RANDOMIZE: EINVAL for others")     \
  X(157, prctl, partly, "name, pdeathsig, dumpable, no_new_privs; EINVAL for the rest") \
  X(158, arch_prctl, partly, "FS and GS base; EINVAL for the rest")                     \
  X(218, set_tid_address, full, "")                                                     \
  X(273, set_robust_list, full, "")                                                     \
  X(274, get_robust_list, full, "")                                                     \
  X(324, membarrier, full, "")                                                          \
  X(334, rseq, refused, "ENOSYS: the C library does without")

// futex_calls.cpp
#define GUEST_SYSCALLS_FUTEX(X) X(202, futex, partly, "no PI operations, no FUTEX_FD: ENOSYS")
