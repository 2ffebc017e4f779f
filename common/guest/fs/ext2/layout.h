// ext2 on disk: the structures as they lie in the image (little-endian, as the guest is) and the
// numbers that go with them. Nothing read through these may be believed before it was checked.
#pragma once

#include <cstddef>
#include <cstdint>

namespace guest::ext2 {

inline constexpr std::uint64_t superblock_offset = 1024;
inline constexpr std::uint16_t superblock_magic = 0xef53;
inline constexpr std::uint32_t root_inode_number = 2;
inline constexpr std::uint32_t max_links = 32000;
inline constexpr std::uint32_t direct_blocks = 12, block_slots = 15;

inline constexpr std::uint16_t state_clean = 1;

/// Features that this code copes with. An unknown incompatible one: no mount; an unknown read-only
/// one: a read-only mount.
inline constexpr std::uint32_t incompatible_file_type = 0x2;
inline constexpr std::uint32_t incompatible_known = incompatible_file_type;
inline constexpr std::uint32_t read_only_sparse_super = 0x1, read_only_large_file = 0x2;
/// A file that is longer is a large one, which the feature announces.
inline constexpr std::uint64_t most_without_large_file = 0x7fffffff;
inline constexpr std::uint32_t read_only_known = read_only_sparse_super | read_only_large_file;

struct Superblock {
  std::uint32_t inodes_count, blocks_count, reserved_blocks, free_blocks, free_inodes;
  std::uint32_t first_data_block, log_block_size, log_fragment_size;
  std::uint32_t blocks_per_group, fragments_per_group, inodes_per_group;
  std::uint32_t mount_time, write_time;
  std::uint16_t mount_count, max_mount_count, magic, state, errors, minor_revision;
  std::uint32_t last_check, check_interval, creator_os, revision;
  std::uint16_t reserved_uid, reserved_gid;
  std::uint32_t first_inode;  // from here on: revision 1
  std::uint16_t inode_size, block_group;
  std::uint32_t compatible, incompatible, read_only_compatible;
};
static_assert(offsetof(Superblock, magic) == 56 && offsetof(Superblock, first_inode) == 84 &&
              offsetof(Superblock, read_only_compatible) == 100);

struct GroupDescriptor {
  std::uint32_t block_bitmap, inode_bitmap, inode_table;
  std::uint16_t free_blocks, free_inodes, directories, flags;
  std::uint32_t reserved[3];
};
static_assert(sizeof(GroupDescriptor) == 32);

inline constexpr std::uint32_t flag_index = 0x1000;

struct DiskInode {
  std::uint16_t mode, uid;
  std::uint32_t size, access_time, change_time, modification_time, deletion_time;
  std::uint16_t gid, links;
  std::uint32_t blocks512, flags, os1;
  std::uint32_t block[block_slots];
  std::uint32_t generation, attribute_block, size_high, fragment;
  std::uint16_t os2, reserved, uid_high, gid_high;
  std::uint32_t os3;
  // -- Behind the first 128 bytes, where inodes are larger.
  std::uint16_t extra_bytes, checksum_high;
  std::uint32_t change_extra, modification_extra, access_extra, creation_time, creation_extra;
  std::uint32_t version_high, project;
};
inline constexpr std::uint32_t small_inode = 128;
inline constexpr std::uint16_t extra_inode_bytes = 32;
static_assert(offsetof(DiskInode, extra_bytes) == small_inode && sizeof(DiskInode) == 160);

/// A directory block is filled with these, one behind the other; the last one ends with it.
struct EntryHead {
  std::uint32_t inode;  // 0: unused
  std::uint16_t length;
  std::uint8_t name_length, type;
};
constexpr std::uint32_t entry_bytes(std::size_t name_length) {
  return static_cast<std::uint32_t>(sizeof(EntryHead) + name_length + 3) & ~3u;
}

/// The type byte of an entry for a mode, and back; 0: unknown.
constexpr std::uint8_t entry_types[16] = {0, 5, 3, 0, 2, 0, 4, 0, 1, 0, 7, 0, 6, 0, 0, 0};
constexpr std::uint8_t entry_type_of(std::uint32_t mode) {
  return entry_types[mode >> 12 & 15];
}
constexpr std::uint32_t mode_of_entry_type(std::uint8_t type) {
  for (std::uint32_t i = 1; i < 16; ++i)
    if (type && entry_types[i] == type) return i << 12;
  return 0;
}

inline constexpr std::uint32_t attribute_magic = 0xea020000;
struct AttributeHead {
  std::uint32_t magic, references;
};

}  // namespace guest::ext2
