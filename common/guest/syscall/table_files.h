// System calls on files, directories and descriptors: see table.h.
#pragma once

// X(number, name, support, note)
#define GUEST_SYSCALLS_FILES(X)                                             \
  GUEST_SYSCALLS_OF_FILES(X)                                                \
  GUEST_SYSCALLS_EVENTS(X) GUEST_SYSCALLS_EPOLL(X) GUEST_SYSCALLS_SPLICE(X) \
      GUEST_SYSCALLS_INOTIFY(X)

// event_calls.cpp
#define GUEST_SYSCALLS_EVENTS(X)                                                   \
  X(282, signalfd, full, "")                                                       \
  X(283, timerfd_create, full, "")                                                 \
  X(284, eventfd, full, "")                                                        \
  X(286, timerfd_settime, partly, "TFD_TIMER_CANCEL_ON_SET: the clock is not set") \
  X(287, timerfd_gettime, full, "")                                                \
  X(289, signalfd4, full, "")                                                      \
  X(290, eventfd2, full, "")

// epoll_calls.cpp
#define GUEST_SYSCALLS_EPOLL(X)   \
  X(213, epoll_create, full, "")  \
  X(232, epoll_wait, full, "")    \
  X(233, epoll_ctl, full, "")     \
  X(281, epoll_pwait, full, "")   \
  X(291, epoll_create1, full, "") \
  X(441, epoll_pwait2, full, "")

// splice_calls.cpp
#define GUEST_SYSCALLS_SPLICE(X)                                           \
  X(275, splice, partly, "into a pipe from pipes and regular files alone") \
  X(276, tee, full, "")                                                    \
  X(278, vmsplice, full, "")

// inotify_calls.cpp
#define GUEST_SYSCALLS_INOTIFY(X)                                                      \
  X(253, inotify_init, full, "")                                                       \
  X(254, inotify_add_watch, partly, "IN_EXCL_UNLINK always; not of programs that run") \
  X(255, inotify_rm_watch, full, "")                                                   \
  X(294, inotify_init1, full, "")

#define GUEST_SYSCALLS_OF_FILES(X)                                                         \
  X(0, read, full, "")                                                                     \
  X(1, write, full, "")                                                                    \
  X(2, open, partly, "no O_ASYNC")                                                         \
  X(3, close, full, "")                                                                    \
  X(4, stat, full, "")                                                                     \
  X(5, fstat, full, "")                                                                    \
  X(6, lstat, full, "")                                                                    \
  X(7, poll, full, "")                                                                     \
  X(8, lseek, full, "")                                                                    \
  X(16, ioctl, partly, "terminals: in typetwo shell; elsewhere settings can only be read") \
  X(17, pread64, full, "")                                                                 \
  X(18, pwrite64, full, "")                                                                \
  X(19, readv, full, "")                                                                   \
  X(20, writev, partly, "to a pipe, only each part is atomic")                             \
  X(21, access, full, "")                                                                  \
  X(22, pipe, full, "")                                                                    \
  X(23, select, full, "")                                                                  \
  X(32, dup, full, "")                                                                     \
  X(33, dup2, full, "")                                                                    \
  X(40, sendfile, partly, "from regular files")                                            \
  X(72, fcntl, partly, "F_SETLEASE is refused (EINVAL); owners of sockets")                \
  X(73, flock, full, "")                                                                   \
  X(74, fsync, full, "")                                                                   \
  X(75, fdatasync, full, "")                                                               \
  X(76, truncate, full, "")                                                                \
  X(77, ftruncate, full, "")                                                               \
  X(78, getdents, full, "")                                                                \
  X(79, getcwd, full, "")                                                                  \
  X(80, chdir, full, "")                                                                   \
  X(81, fchdir, full, "")                                                                  \
  X(82, rename, full, "")                                                                  \
  X(83, mkdir, full, "")                                                                   \
  X(84, rmdir, full, "")                                                                   \
  X(85, creat, full, "")                                                                   \
  X(86, link, full, "")                                                                    \
  X(87, unlink, full, "")                                                                  \
  X(88, symlink, full, "")                                                                 \
  X(89, readlink, full, "")                                                                \
  X(90, chmod, full, "")                                                                   \
  X(91, fchmod, full, "")                                                                  \
  X(92, chown, full, "")                                                                   \
  X(93, fchown, full, "")                                                                  \
  X(94, lchown, full, "")                                                                  \
  X(95, umask, full, "")                                                                   \
  X(132, utime, full, "")                                                                  \
  X(133, mknod, partly, "block devices have no driver")                                    \
  X(137, statfs, full, "")                                                                 \
  X(138, fstatfs, full, "")                                                                \
  X(161, chroot, full, "")                                                                 \
  X(162, sync, full, "")                                                                   \
  X(187, readahead, full, "")                                                              \
  X(188, setxattr, partly, "in memory; EOPNOTSUPP on ext2; no file capabilities")          \
  X(189, lsetxattr, partly, "as setxattr")                                                 \
  X(190, fsetxattr, partly, "as setxattr")                                                 \
  X(191, getxattr, partly, "as setxattr")                                                  \
  X(192, lgetxattr, partly, "as setxattr")                                                 \
  X(193, fgetxattr, partly, "as setxattr")                                                 \
  X(194, listxattr, partly, "as setxattr: none on ext2")                                   \
  X(195, llistxattr, partly, "as setxattr: none on ext2")                                  \
  X(196, flistxattr, partly, "as setxattr: none on ext2")                                  \
  X(197, removexattr, partly, "as setxattr")                                               \
  X(198, lremovexattr, partly, "as setxattr")                                              \
  X(199, fremovexattr, partly, "as setxattr")                                              \
  X(217, getdents64, full, "")                                                             \
  X(221, fadvise64, full, "")                                                              \
  X(235, utimes, full, "")                                                                 \
  X(257, openat, partly, "as open")                                                        \
  X(258, mkdirat, full, "")                                                                \
  X(259, mknodat, partly, "as mknod")                                                      \
  X(260, fchownat, full, "")                                                               \
  X(261, futimesat, full, "")                                                              \
  X(262, newfstatat, full, "")                                                             \
  X(263, unlinkat, full, "")                                                               \
  X(264, renameat, full, "")                                                               \
  X(265, linkat, partly, "AT_EMPTY_PATH for everybody")                                    \
  X(266, symlinkat, full, "")                                                              \
  X(267, readlinkat, full, "")                                                             \
  X(268, fchmodat, full, "")                                                               \
  X(269, faccessat, full, "")                                                              \
  X(270, pselect6, full, "")                                                               \
  X(271, ppoll, full, "")                                                                  \
  X(277, sync_file_range, full, "the whole file")                                          \
  X(280, utimensat, full, "")                                                              \
  X(285, fallocate, partly, "sets nothing aside; no ranges inserted or collapsed")         \
  X(292, dup3, full, "")                                                                   \
  X(293, pipe2, partly, "no packet mode")                                                  \
  X(295, preadv, full, "")                                                                 \
  X(296, pwritev, full, "")                                                                \
  X(306, syncfs, full, "")                                                                 \
  X(316, renameat2, partly, "no RENAME_WHITEOUT; RENAME_EXCHANGE only in memory")          \
  X(318, getrandom, full, "")                                                              \
  X(319, memfd_create, partly, "no huge pages: EINVAL")                                    \
  X(326, copy_file_range, partly, "regular files only")                                    \
  X(327, preadv2, partly, "RWF_HIPRI, RWF_DSYNC and RWF_SYNC")                             \
  X(328, pwritev2, partly, "as preadv2")                                                   \
  X(332, statx, partly, "no birth time, no attributes")                                    \
  X(436, close_range, full, "")                                                            \
  X(439, faccessat2, full, "")
