// Flags and constants of the file system calls, as the x86-64 ABI numbers them. Handlers and the
// file system use the same values: translating them twice would gain nothing.
#pragma once

#include <cstdint>

namespace guest::abi {

// -- open
inline constexpr std::uint32_t o_access = 3, o_rdonly = 0, o_wronly = 1, o_rdwr = 2;
inline constexpr std::uint32_t o_creat = 0100, o_excl = 0200, o_noctty = 0400, o_trunc = 01000,
                               o_append = 02000, o_nonblock = 04000, o_dsync = 010000,
                               o_async = 020000, o_direct = 040000, o_largefile = 0100000,
                               o_directory = 0200000, o_nofollow = 0400000, o_noatime = 01000000,
                               o_cloexec = 02000000, o_path = 010000000, o_unnamed = 020000000,
                               o_tmpfile = o_unnamed | o_directory;
// The fourth access mode opens for ioctl alone: neither reading nor writing.
constexpr bool may_read(std::uint32_t flags) {
  return (flags & o_access) == o_rdonly || (flags & o_access) == o_rdwr;
}
constexpr bool may_write(std::uint32_t flags) {
  return (flags & o_access) == o_wronly || (flags & o_access) == o_rdwr;
}
/// What fcntl(F_SETFL) may change.
inline constexpr std::uint32_t o_settable = o_append | o_nonblock | o_direct | o_noatime;

// -- *at
inline constexpr int at_fdcwd = -100;
inline constexpr std::uint32_t at_symlink_nofollow = 0x100, at_removedir = 0x200,
                               at_eaccess = 0x200, at_symlink_follow = 0x400,
                               at_no_automount = 0x800, at_empty_path = 0x1000,
                               at_statx_sync_type = 0x6000;
inline constexpr std::uint32_t rename_noreplace = 1, rename_exchange = 2, rename_whiteout = 4;

// -- lseek
inline constexpr int seek_set = 0, seek_cur = 1, seek_end = 2, seek_data = 3, seek_hole = 4;

// -- fallocate
inline constexpr std::uint32_t falloc_keep_size = 1, falloc_punch_hole = 2, falloc_zero_range = 16;

// -- access
inline constexpr std::uint32_t x_ok = 1, w_ok = 2, r_ok = 4;

// -- fcntl
inline constexpr int f_dupfd = 0, f_getfd = 1, f_setfd = 2, f_getfl = 3, f_setfl = 4, f_getlk = 5,
                     f_setlk = 6, f_setlkw = 7, f_setown = 8, f_getown = 9, f_setown_ex = 15,
                     f_getown_ex = 16, f_ofd_getlk = 36, f_ofd_setlk = 37, f_ofd_setlkw = 38,
                     f_setlease = 1024, f_getlease = 1025, f_dupfd_cloexec = 1030,
                     f_setpipe_size = 1031, f_getpipe_size = 1032, f_add_seals = 1033,
                     f_get_seals = 1034;
inline constexpr std::uint32_t fd_cloexec = 1;
inline constexpr std::int16_t f_rdlck = 0, f_wrlck = 1, f_unlck = 2;

// -- memfd_create, and the seals of such files
inline constexpr std::uint32_t mfd_cloexec = 1, mfd_allow_sealing = 2, mfd_hugetlb = 4,
                               mfd_noexec_seal = 8, mfd_exec = 16;
inline constexpr std::uint32_t seal_seal = 1, seal_shrink = 2, seal_grow = 4, seal_write = 8,
                               seal_future_write = 16, seal_exec = 32, all_seals = 63;

// -- poll
inline constexpr std::uint32_t poll_in = 1, poll_pri = 2, poll_out = 4, poll_err = 8,
                               poll_hup = 0x10, poll_nval = 0x20, poll_rdnorm = 0x40,
                               poll_rdband = 0x80, poll_wrnorm = 0x100, poll_wrband = 0x200,
                               poll_rdhup = 0x2000;

// -- utimensat
inline constexpr std::int64_t utime_now = 0x3fffffff, utime_omit = 0x3ffffffe;

// -- ioctl, of any file; terminals' are in terminal.h
inline constexpr std::uint32_t fionread = 0x541b, fionbio = 0x5421, fionclex = 0x5450,
                               fioclex = 0x5451;

inline constexpr std::size_t path_max = 4096, name_max = 255, pipe_buf = 4096, iov_max = 1024;

}  // namespace guest::abi
