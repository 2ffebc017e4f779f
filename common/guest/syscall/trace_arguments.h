// How tracing prints each system call's arguments: one letter an argument, X(name, letters). What
// is not listed is printed as six hexadecimal words.
//   d signed    u unsigned   x hexadecimal   o octal (modes)   p address
//   f descriptor   D descriptor of a directory, or AT_FDCWD   F flags of open   P protection
//   M flags of mmap   S signal   w whence   H how of rt_sigprocmask
//   s string   a vector of strings   b bytes, as many as the next argument says
//   B bytes the call has put there, as many as its result says    i two descriptors, put there
//   t string put there   W wait status, put there
//   ! (last) does not return   @ (last) the result is an address
#pragma once

#define TRACE_ARGUMENTS(X) \
  TRACE_FILES(X) TRACE_EVENTS(X) TRACE_SOCKETS(X) TRACE_NAMES(X) TRACE_MEMORY(X) TRACE_PROCESSES(X)

#define TRACE_FILES(X)                                                                             \
  X(read, "fBu")                                                                                   \
  X(write, "fbu")                                                                                  \
  X(close, "f")                                                                                    \
  X(fstat, "fp")                                                                                   \
  X(poll, "pud") X(lseek, "fdw") X(ioctl, "fxp") X(pread64, "fBud") X(pwrite64, "fbud")            \
      X(readv, "fpu") X(writev, "fpu") X(pipe, "i") X(select, "dpppp") X(dup, "f") X(dup2, "ff")   \
          X(sendfile, "ffpu") X(fcntl, "fdx") X(flock, "fd") X(fsync, "f") X(fdatasync, "f")       \
              X(ftruncate, "fd") X(fchdir, "f") X(fchmod, "fo") X(fchown, "fdd") X(fstatfs, "fp")  \
                  X(sync, "") X(getdents64, "fpu") X(getdents, "fpu") X(fadvise64, "fdud")         \
                      X(pselect6, "dppppp") X(ppoll, "pupp") X(fallocate, "fxdd") X(dup3, "ffF")   \
                          X(pipe2, "ix") X(preadv, "fpud") X(preadv2, "fpudxx")                    \
                              X(pwritev2, "fpudxx") X(readahead, "fdu") X(sync_file_range, "fddx") \
                                  X(pwritev, "fpud") X(syncfs, "f") X(getrandom, "pux")            \
                                      X(close_range, "uux")

#define TRACE_EVENTS(X)                                                                       \
  X(eventfd, "u")                                                                             \
  X(eventfd2, "ux")                                                                           \
  X(timerfd_create, "dx")                                                                     \
  X(timerfd_settime, "fxpp") X(timerfd_gettime, "fp") X(signalfd, "fpu") X(signalfd4, "fpux") \
      X(epoll_create, "d") X(epoll_create1, "x") X(epoll_ctl, "fdfp") X(epoll_wait, "fpdd")   \
          X(epoll_pwait, "fpddpu") X(epoll_pwait2, "fpdppu") X(pidfd_open, "dx")              \
              X(pidfd_send_signal, "fSpx")

#define TRACE_SOCKETS(X)                                                                     \
  X(socket, "dxd")                                                                           \
  X(socketpair, "dxdi")                                                                      \
  X(connect, "fpu") X(accept, "fpp") X(accept4, "fppx") X(bind, "fpu") X(listen, "fd")       \
      X(shutdown, "fd") X(getsockname, "fpp") X(getpeername, "fpp") X(setsockopt, "fddpu")   \
          X(getsockopt, "fddpp") X(sendto, "fbuxpu") X(recvfrom, "fBuxpp") X(sendmsg, "fpx") \
              X(recvmsg, "fpx") X(sendmmsg, "fpux") X(recvmmsg, "fpuxp")

#define TRACE_NAMES(X)                                                                          \
  X(open, "sFo")                                                                                \
  X(stat, "sp")                                                                                 \
  X(lstat, "sp")                                                                                \
  X(access, "so")                                                                               \
  X(truncate, "sd") X(getcwd, "tu") X(chdir, "s") X(rename, "ss") X(mkdir, "so") X(rmdir, "s")  \
      X(creat, "so") X(link, "ss") X(unlink, "s") X(symlink, "ss") X(readlink, "sBu")           \
          X(chmod, "so") X(chown, "sdd") X(lchown, "sdd") X(umask, "o") X(utime, "sp")          \
              X(mknod, "sox") X(statfs, "sp") X(chroot, "s") X(utimes, "sp") X(openat, "DsFo")  \
                  X(mkdirat, "Dso") X(mknodat, "Dsox") X(fchownat, "Dsddx") X(futimesat, "Dsp") \
                      X(newfstatat, "Dspx") X(unlinkat, "Dsx") X(renameat, "DsDs")              \
                          X(linkat, "DsDsx") X(symlinkat, "sDs") X(readlinkat, "DsBu")          \
                              X(fchmodat, "Dso") X(faccessat, "Dso") X(utimensat, "Dspx")       \
                                  X(renameat2, "DsDsx") X(statx, "Dsxxp") X(faccessat2, "Dsox")

#define TRACE_MEMORY(X)                                                                  \
  X(mmap, "puPMfx@")                                                                     \
  X(mprotect, "puP")                                                                     \
  X(munmap, "pu")                                                                        \
  X(brk, "p@")                                                                           \
  X(mremap, "puuxp@") X(msync, "pux") X(mincore, "pup") X(madvise, "pud") X(mlock, "pu") \
      X(munlock, "pu") X(mlockall, "x") X(munlockall, "") X(mlock2, "pux")

#define TRACE_PROCESSES(X)                                                                         \
  X(clone, "xpppp")                                                                                \
  X(fork, "")                                                                                      \
  X(vfork, "")                                                                                     \
  X(execve, "sap")                                                                                 \
  X(execveat, "Dsapx") X(exit, "d!") X(wait4, "dWxp") X(exit_group, "d!") X(waitid, "ddpxp")       \
      X(clone3, "pu") X(rt_sigaction, "Sppu") X(rt_sigprocmask, "Hppu") X(rt_sigreturn, "")        \
          X(restart_syscall, "") X(pause, "") X(kill, "dS") X(rt_sigpending, "pu") X(              \
              rt_sigtimedwait, "pppu") X(rt_sigqueueinfo, "dSp") X(rt_sigsuspend, "pu")            \
              X(sigaltstack, "pp") X(tkill, "dS") X(tgkill, "ddS") X(rt_tgsigqueueinfo, "ddSp") X( \
                  nanosleep, "pp") X(getitimer, "dp") X(alarm, "u") X(setitimer, "dpp")            \
                  X(timer_create, "dpp") X(timer_settime, "dxpp") X(timer_gettime, "dp") X(        \
                      timer_getoverrun, "d") X(timer_delete, "d") X(gettimeofday, "pp")            \
                      X(times, "p") X(time, "p") X(clock_gettime, "dp") X(clock_getres, "dp") X(   \
                          clock_nanosleep, "dxpp") X(getpid, "") X(getuid, "") X(getgid, "")       \
                          X(setuid, "d") X(setgid, "d") X(geteuid, "") X(getegid, "") X(           \
                              setpgid, "dd") X(getppid, "")                                        \
                              X(getpgrp, "") X(setsid, "") X(setreuid, "dd") X(setregid, "dd") X(  \
                                  getgroups, "dp")                                                 \
                                  X(setgroups, "dp") X(setresuid, "ddd") X(getresuid, "ppp") X(    \
                                      setresgid,                                                   \
                                      "ddd") X(getresgid,                                          \
                                               "ppp") X(getpgid, "d")                              \
                                      X(getsid, "d") X(gettid, "") X(                              \
                                          sched_yield, "") X(sched_getscheduler, "d")              \
                                          X(sched_setscheduler, "ddp") X(sched_getparam, "dp") X(  \
                                              sched_setparam,                                      \
                                              "dp") X(ioprio_get, "dd")                            \
                                              X(ioprio_set, "ddx") X(uname, "p")                   \
                                                  X(getrlimit, "dp") X(getrusage, "dp") X(         \
                                                      sysinfo, "p") X(personality, "x")            \
                                                      X(getpriority, "dd") X(setpriority, "ddd")   \
                                                          X(prctl, "dxxxx") X(arch_prctl, "xp") X( \
                                                              setrlimit, "dp") X(futex, "pduppu")  \
                                                              X(sched_setaffinity, "dup")          \
                                                                  X(sched_getaffinity, "dup")      \
                                                                      X(set_tid_address, "p") X(   \
                                                                          set_robust_list, "pu")   \
                                                                          X(prlimit64, "ddpp")     \
                                                                              X(getcpu, "ppp")     \
                                                                                  X(rseq, "pudx")
