// Every time in the image is the newest of the tree's where libext2fs would take today's, so that
// the same files give the same image.
#include "workloads/image/ext2_image.h"

#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <vector>

extern "C" {  // which this header forgets
#include <com_err.h>
}

#include "monitor/tool/error.h"
#include "workloads/image/host_program.h"

namespace image {
namespace {

using monitor::HostError;
using monitor::RootNode;

constexpr std::uint64_t block_bytes = 4096;
constexpr std::uint64_t inode_bytes = 256;
constexpr std::uint64_t spare_inodes = 16384;
constexpr const char* features = "none,filetype,sparse_super,large_file";

std::uint64_t newest_seconds(const monitor::RootTree& tree) {
  std::uint64_t newest = 1;  // libext2fs takes 0 for "now"
  for (const auto& [path, node] : tree.nodes()) newest = std::max(newest, node.mtime_ns);
  return std::max<std::uint64_t>(newest / 1'000'000'000, 1);
}

std::uint64_t inodes_for(const monitor::RootTree& tree) {
  return tree.nodes().size() + spare_inodes;
}

/// An open file system; closing writes what libext2fs still holds.
class FileSystem {
 public:
  FileSystem(const std::string& file, std::uint64_t now) {
    check(ext2fs_open(file.c_str(), EXT2_FLAG_RW, 0, 0, unix_io_manager, &fs_), "open");
    fs_->now = static_cast<time_t>(now);
    check(ext2fs_read_bitmaps(fs_), "read the bitmaps");
  }
  ~FileSystem() {
    if (fs_) ext2fs_free(fs_);
  }
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  void close() { check(ext2fs_close_free(&fs_), "write the end"); }
  ext2_filsys operator*() const { return fs_; }
  ext2_filsys operator->() const { return fs_; }

  static void check(errcode_t error, const std::string& what) {
    if (!error) return;
    if (error == EXT2_ET_BLOCK_ALLOC_FAIL || error == EXT2_ET_INODE_ALLOC_FAIL) {
      throw HostError("the files do not fit the image: give a larger --size");
    }
    throw HostError(fmt::format("cannot make the image: {}: {}", what, error_message(error)));
  }

 private:
  ext2_filsys fs_ = nullptr;
};

class Writer {
 public:
  Writer(const std::string& file, std::uint64_t now) : fs_(file, now) {}

  void write(const monitor::RootTree& tree) {
    for (const auto& [path, node] : tree.nodes()) add(path, node);
    for (const auto& [path, inode] : inodes_) set_attributes(inode, *tree.find(path));
    fs_.close();
  }

 private:
  void add(const std::string& path, const RootNode& node) {
    if (path == "/") {
      inodes_[path] = EXT2_ROOT_INO;
      return;
    }
    auto slash = path.rfind('/');
    ext2_ino_t parent = inodes_.at(slash == 0 ? "/" : path.substr(0, slash));
    std::string name = path.substr(slash + 1);
    if (path == "/lost+found" || S_ISCHR(node.mode)) return;  // mke2fs's, and the guest's own
    ext2_ino_t inode = 0;
    FileSystem::check(ext2fs_new_inode(*fs_, parent, static_cast<int>(node.mode), nullptr, &inode),
                      path);
    if (S_ISDIR(node.mode)) {
      with_room(parent, path, [&] { return ext2fs_mkdir(*fs_, parent, inode, name.c_str()); });
    } else if (S_ISLNK(node.mode)) {
      with_room(parent, path, [&] {
        return ext2fs_symlink(*fs_, parent, inode, name.c_str(), node.content.c_str());
      });
    } else {
      with_room(parent, path,
                [&] { return ext2fs_link(*fs_, parent, name.c_str(), inode, EXT2_FT_REG_FILE); });
      add_file(path, node, inode);
    }
    inodes_[path] = inode;
  }

  /// A full folder grows by a block, and the call is made again.
  template <class Call>
  void with_room(ext2_ino_t folder, const std::string& path, Call call) {
    errcode_t error = call();
    if (error == EXT2_ET_DIR_NO_SPACE) {
      FileSystem::check(ext2fs_expand_dir(*fs_, folder), path);
      error = call();
    }
    FileSystem::check(error, path);
  }

  void add_file(const std::string& path, const RootNode& node, ext2_ino_t inode) {
    ext2fs_inode_alloc_stats2(*fs_, inode, +1, 0);
    ext2_inode empty{};
    empty.i_mode = static_cast<__u16>(node.mode);
    empty.i_links_count = 1;
    FileSystem::check(ext2fs_write_new_inode(*fs_, inode, &empty), path);
    ext2_file_t file = nullptr;
    FileSystem::check(ext2fs_file_open(*fs_, inode, EXT2_FILE_WRITE, &file), path);
    try {
      if (node.host_path.empty()) {
        put(file, node.content.data(), node.content.size(), path);
      } else {
        copy(file, node, path);
      }
    } catch (...) {
      ext2fs_file_close(file);
      throw;
    }
    FileSystem::check(ext2fs_file_close(file), path);
  }

  static void put(ext2_file_t file, const char* bytes, std::size_t count, const std::string& path) {
    while (count > 0) {
      unsigned written = 0;
      unsigned block = static_cast<unsigned>(std::min<std::size_t>(count, 1 << 20));
      FileSystem::check(ext2fs_file_write(file, bytes, block, &written), path);
      bytes += written;
      count -= written;
    }
  }

  void copy(ext2_file_t file, const RootNode& node, const std::string& path) {
    int from = open(node.host_path.c_str(), O_RDONLY | O_CLOEXEC);
    if (from < 0) monitor::throw_errno("cannot read " + node.host_path);
    std::uint64_t done = 0;
    ssize_t got;
    while ((got = read(from, buffer_.data(), buffer_.size())) > 0) {
      put(file, buffer_.data(), static_cast<std::size_t>(got), path);
      done += static_cast<std::uint64_t>(got);
    }
    close(from);
    if (got < 0 || done != node.size) {
      throw HostError(node.host_path + " changed while it was read: try again");
    }
  }

  void set_attributes(ext2_ino_t number, const RootNode& node) {
    ext2_inode_large inode{};
    auto* small = reinterpret_cast<ext2_inode*>(&inode);
    FileSystem::check(ext2fs_read_inode_full(*fs_, number, small, sizeof inode), "read an inode");
    inode.i_mode = static_cast<__u16>(node.mode);
    inode.i_uid = static_cast<__u16>(node.uid);
    inode.i_gid = static_cast<__u16>(node.gid);
    // The larger part of an inode has the nanoseconds, above two bits of the time's epoch.
    auto seconds = node.mtime_ns / 1'000'000'000, rest = node.mtime_ns % 1'000'000'000;
    auto extra = static_cast<__u32>(rest << 2 | (seconds >> 32 & 3));
    inode.i_extra_isize = sizeof inode - EXT2_GOOD_OLD_INODE_SIZE;
    inode.i_mtime = inode.i_ctime = inode.i_atime = inode.i_crtime = static_cast<__u32>(seconds);
    inode.i_mtime_extra = inode.i_ctime_extra = inode.i_atime_extra = inode.i_crtime_extra = extra;
    FileSystem::check(ext2fs_write_inode_full(*fs_, number, small, sizeof inode), "write an inode");
  }

  FileSystem fs_;
  std::map<std::string, ext2_ino_t> inodes_;
  std::vector<char> buffer_ = std::vector<char>(1 << 20);
};

}  // namespace

std::uint64_t least_ext2_bytes(const monitor::RootTree& tree) {
  std::uint64_t blocks = 16;
  for (const auto& [path, node] : tree.nodes()) {
    // A folder of 4 KiB blocks is rarely larger than one; a file has a block of pointers per 4 MiB.
    std::uint64_t data = S_ISREG(node.mode) ? (node.size + block_bytes - 1) / block_bytes : 1;
    blocks += data + data / 1024 + (data > 12);
  }
  std::uint64_t bytes = blocks * block_bytes + inodes_for(tree) * inode_bytes;
  return bytes + bytes / 64 + (1 << 20);  // bitmaps, descriptors and copies of the superblock
}

void write_ext2(const monitor::RootTree& tree, const std::string& file,
                const Ext2Options& options) {
  if (truncate(file.c_str(), 0) != 0 ||
      truncate(file.c_str(), static_cast<off_t>(options.bytes)) != 0) {
    monitor::throw_errno(fmt::format("cannot make an image of {} MiB", options.bytes >> 20));
  }
  std::uint64_t now = newest_seconds(tree);
  require_program({"mke2fs",
                   "-q",
                   "-F",
                   "-t",
                   "ext2",
                   "-b",
                   fmt::to_string(block_bytes),
                   "-I",
                   fmt::to_string(inode_bytes),
                   "-N",
                   fmt::to_string(inodes_for(tree)),
                   "-m",
                   "0",
                   "-L",
                   "typetwo",
                   "-O",
                   features,
                   "-U",
                   options.uuid,
                   "-E",
                   "root_owner=0:0,nodiscard,hash_seed=" + options.uuid,
                   file},
                  "is there room, and is e2fsprogs installed?",
                  {fmt::format("E2FSPROGS_FAKE_TIME={}", now), "MKE2FS_CONFIG=/dev/null"});
  initialize_ext2_error_table();
  Writer(file, now).write(tree);
}

}  // namespace image
