// Structures that the file system calls exchange with guest programs: x86-64 layouts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace guest::abi {

/// struct stat
struct FileStat {
  std::uint64_t st_dev, st_ino, st_nlink;
  std::uint32_t st_mode, st_uid, st_gid, pad0;
  std::uint64_t st_rdev, st_size, st_blksize, st_blocks;
  std::uint64_t st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
  std::uint64_t unused[3];
};
static_assert(sizeof(FileStat) == 144);

struct StatxTime {
  std::int64_t seconds;
  std::uint32_t nanoseconds;
  std::int32_t reserved;
};

/// struct statx
struct FileStatx {
  std::uint32_t mask, block_size;
  std::uint64_t attributes;
  std::uint32_t links, uid, gid;
  std::uint16_t mode, spare0;
  std::uint64_t inode, size, blocks, attributes_mask;
  StatxTime atime, btime, ctime, mtime;
  std::uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  std::uint64_t spare[14];
};
static_assert(sizeof(FileStatx) == 256 && offsetof(FileStatx, rdev_major) == 128);
inline constexpr std::uint32_t statx_basic_stats = 0x7ff;

/// struct linux_dirent64 without its name, which follows at once
struct Dirent64 {
  std::uint64_t inode;
  std::int64_t next;
  std::uint16_t record_bytes;
  std::uint8_t type;
} __attribute__((packed));
static_assert(sizeof(Dirent64) == 19);

/// struct iovec
struct IoVector {
  std::uint64_t base, bytes;
};
static_assert(sizeof(IoVector) == 16);

/// struct statfs
struct FileSystemStat {
  std::uint64_t type, block_size, blocks, blocks_free, blocks_available, files, files_free;
  std::uint64_t id, name_max, fragment_size, flags, spare[4];
};
static_assert(sizeof(FileSystemStat) == 120);
inline constexpr std::uint64_t tmpfs_magic = 0x01021994, proc_magic = 0x9fa0;

/// struct pollfd
struct PollFd {
  std::int32_t fd;
  std::int16_t events, result;
};
static_assert(sizeof(PollFd) == 8);

/// struct flock
struct FileLock {
  std::int16_t type, whence;
  std::uint32_t padding1;
  std::int64_t start, length;
  std::int32_t pid;
  std::uint32_t padding2;
};
static_assert(sizeof(FileLock) == 32);

/// struct f_owner_ex
struct FileOwner {
  std::int32_t type, id;
};

/// struct timespec and struct timeval, as the file calls take them
struct FileTimespec {
  std::int64_t seconds, nanoseconds;
};
struct FileTimeval {
  std::int64_t seconds, microseconds;
};

}  // namespace guest::abi
