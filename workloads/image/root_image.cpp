// Reads the superblock by hand: e2fsprogs' library would say "bad magic number" for all of it.
#include "workloads/image/root_image.h"

#include <ext2fs/ext2_fs.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "monitor/tool/error.h"

namespace image {
namespace {

using monitor::HostError;

constexpr off_t superblock_offset = 1024;
constexpr unsigned max_log_block = 6;  // 64 KiB

std::string uuid_text(const unsigned char (&uuid)[16]) {
  std::string text;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

struct Head {
  std::uint64_t file_bytes;
  ssize_t got;  // of the superblock
  ext2_super_block block;
};

Head read_head(const std::string& file) {
  int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    monitor::throw_errno("cannot read the image " + file, "make one with: typetwo image");
  }
  Head head{};
  struct stat status {};
  fstat(fd, &status);
  head.file_bytes = static_cast<std::uint64_t>(status.st_size);
  head.got = pread(fd, &head.block, sizeof head.block, superblock_offset);
  close(fd);
  return head;
}

std::string why_not(const Head& head) {
  if (head.file_bytes == 0) return "is empty: make one with typetwo image";
  if (head.got != static_cast<ssize_t>(sizeof head.block)) {
    return fmt::format("is truncated: {} bytes do not hold a superblock; make or copy it again",
                       head.file_bytes);
  }
  if (head.block.s_magic != EXT2_SUPER_MAGIC) {
    return "is no ext2 image: it has no ext2 superblock; make one with typetwo image";
  }
  if (head.block.s_log_block_size > max_log_block || head.block.s_blocks_count == 0 ||
      head.block.s_blocks_per_group == 0 || head.block.s_inodes_per_group == 0) {
    return "is damaged: its superblock is absurd; repair it with e2fsck, or make it again";
  }
  std::uint64_t bytes = std::uint64_t{head.block.s_blocks_count} * 1024
                        << head.block.s_log_block_size;
  if (bytes > head.file_bytes) {
    return fmt::format(
        "is truncated: {} of the {} bytes of its file system are there; make or copy it again",
        head.file_bytes, bytes);
  }
  return "";
}

Head whole_head(const std::string& file) {
  Head head = read_head(file);
  if (auto why = why_not(head); !why.empty()) {
    throw HostError(fmt::format("the image {} {}", file, why));
  }
  return head;
}

Superblock describe(const Head& head) {
  const char* label = reinterpret_cast<const char*>(head.block.s_volume_name);
  return {uuid_text(head.block.s_uuid),
          {label, strnlen(label, sizeof head.block.s_volume_name)},
          head.block.s_mnt_count != 0 || head.block.s_wtime != head.block.s_mkfs_time};
}

}  // namespace

Superblock read_superblock(const std::string& file) {
  return describe(whole_head(file));
}

std::optional<Superblock> find_superblock(const std::string& file) {
  if (access(file.c_str(), R_OK) != 0) return std::nullopt;
  Head head = read_head(file);
  if (!why_not(head).empty()) return std::nullopt;
  return describe(head);
}

std::uint64_t used_bytes(const std::string& image) {
  const Head head = whole_head(image);
  const std::uint64_t all = head.block.s_blocks_count, free = head.block.s_free_blocks_count;
  return (all - std::min(all, free)) * 1024 << head.block.s_log_block_size;
}

}  // namespace image
