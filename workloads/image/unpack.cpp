// Reads an image by libext2fs and lays its files out on the host. The image may have been written
// by a hostile guest: names are checked, no link is ever followed, only blocks that are there are
// read, and a folder that contains itself is damage.
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <vector>

extern "C" {  // which this header forgets
#include <com_err.h>
}

#include "monitor/tool/error.h"
#include "workloads/image/unpacked_image.h"

namespace image {
namespace {

using monitor::throw_errno;

struct Entry {
  std::string name;
  ext2_ino_t inode;
};

class Unpacker {
 public:
  explicit Unpacker(const std::string& image) : image_(image) {
    initialize_ext2_error_table();
    check(ext2fs_open(image.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs_));
    block_.resize(fs_->blocksize);
  }
  ~Unpacker() { ext2fs_free(fs_); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  void folder(ext2_ino_t number, const std::string& path) {
    if (!folders_.insert(number).second) damaged("a folder contains itself");
    for (const auto& entry : entries_of(number)) node(entry.inode, path + '/' + entry.name);
    set_attributes(path, read_inode(number));
  }

 private:
  [[noreturn]] void damaged(const std::string& how) const {
    throw monitor::HostError(fmt::format(
        "the image {} is damaged ({}): repair it with e2fsck, or make it again", image_, how));
  }
  void check(errcode_t error) const {
    if (error) damaged(error_message(error));
  }

  ext2_inode read_inode(ext2_ino_t number) const {
    ext2_inode inode{};
    check(ext2fs_read_inode(fs_, number, &inode));
    return inode;
  }

  std::vector<Entry> entries_of(ext2_ino_t folder) {
    std::vector<Entry> entries;
    auto collect = [](ext2_dir_entry* entry, int, int, char*, void* to) {
      std::string name(entry->name, static_cast<unsigned>(ext2fs_dirent_name_len(entry)));
      if (name != "." && name != "..") {
        static_cast<std::vector<Entry>*>(to)->push_back({name, entry->inode});
      }
      return 0;
    };
    check(ext2fs_dir_iterate(fs_, folder, 0, nullptr, collect, &entries));
    for (const auto& entry : entries) {
      if (entry.name.empty() ||
          entry.name.find_first_of(std::string("/\0", 2)) != entry.name.npos) {
        damaged("a name with a slash or a zero in it");
      }
    }
    return entries;
  }

  void node(ext2_ino_t number, const std::string& path) {
    ext2_inode inode = read_inode(number);
    if (S_ISDIR(inode.i_mode)) {
      if (mkdir(path.c_str(), 0700) != 0) throw_errno("cannot unpack " + path);
      folder(number, path);
      return;
    }
    if (auto known = files_.find(number); known != files_.end()) {
      if (link(known->second.c_str(), path.c_str()) != 0) throw_errno("cannot unpack " + path);
      return;
    }
    if (S_ISREG(inode.i_mode)) {
      file(number, inode, path);
    } else if (S_ISLNK(inode.i_mode)) {
      symbolic_link(number, inode, path);
    } else if (!S_ISFIFO(inode.i_mode) || mkfifo(path.c_str(), 0600) != 0) {
      return;  // devices and sockets mean nothing outside of the guest
    }
    files_[number] = path;
    set_attributes(path, inode);
  }

  void file(ext2_ino_t number, ext2_inode& inode, const std::string& path) {
    out_ = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out_ < 0) throw_errno("cannot unpack " + path);
    auto copy = [](ext2_filsys, blk64_t* block, e2_blkcnt_t at, blk64_t, int, void* self) {
      return static_cast<Unpacker*>(self)->copy_block(*block, at) ? 0 : BLOCK_ABORT;
    };
    failed_ = 0;
    write_error_ = 0;
    size_ = EXT2_I_SIZE(&inode);
    errcode_t error = ext2fs_block_iterate3(
        fs_, number, BLOCK_FLAG_DATA_ONLY | BLOCK_FLAG_READ_ONLY, nullptr, copy, this);
    if (!write_error_ && ftruncate(out_, static_cast<off_t>(size_)) != 0) write_error_ = errno;
    close(out_);
    check(error);
    check(failed_);
    errno = write_error_;
    if (write_error_) throw_errno("cannot unpack " + path, "is there room for it?");
  }

  bool copy_block(blk64_t block, e2_blkcnt_t at) {
    failed_ = io_channel_read_blk64(fs_->io, block, 1, block_.data());
    if (failed_) return false;
    auto offset = static_cast<std::uint64_t>(at) * block_.size();
    if (offset >= size_) return true;
    auto bytes = std::min<std::uint64_t>(block_.size(), size_ - offset);
    const ssize_t got = pwrite(out_, block_.data(), bytes, static_cast<off_t>(offset));
    if (got == static_cast<ssize_t>(bytes)) return true;
    write_error_ = got < 0 ? errno : ENOSPC;
    return false;
  }

  void symbolic_link(ext2_ino_t number, ext2_inode& inode, const std::string& path) {
    std::string target(EXT2_I_SIZE(&inode) < fs_->blocksize ? EXT2_I_SIZE(&inode) : 0, '\0');
    if (target.empty()) damaged("a symbolic link without a target");
    if (ext2fs_is_fast_symlink(&inode)) {
      target.resize(std::min(target.size(), sizeof inode.i_block));
      memcpy(target.data(), inode.i_block, target.size());
    } else {
      ext2_file_t file = nullptr;
      unsigned got = 0;
      check(ext2fs_file_open(fs_, number, 0, &file));
      errcode_t error = ext2fs_file_read(file, target.data(), target.size(), &got);
      ext2fs_file_close(file);
      check(error);
    }
    if (symlink(target.c_str(), path.c_str()) != 0) throw_errno("cannot unpack " + path);
  }

  static void set_attributes(const std::string& path, const ext2_inode& inode) {
    if (geteuid() == 0) {
      // A failure leaves root's, which a guest's files are anyway.
      [[maybe_unused]] int done = lchown(path.c_str(), inode_uid(inode), inode_gid(inode));
    }
    if (!S_ISLNK(inode.i_mode) && chmod(path.c_str(), inode.i_mode & 07777) != 0) {
      throw_errno("cannot unpack " + path);
    }
    timespec time{.tv_sec = inode.i_mtime, .tv_nsec = 0};
    timespec times[2] = {time, time};
    utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
  }

  std::string image_;
  ext2_filsys fs_ = nullptr;
  std::set<ext2_ino_t> folders_;
  std::map<ext2_ino_t, std::string> files_;  // for hard links
  std::vector<char> block_;
  int out_ = -1;            // the file that copy_block writes ...
  std::uint64_t size_ = 0;  // ... its size ...
  errcode_t failed_ = 0;    // ... what went wrong in reading the image ...
  int write_error_ = 0;     // ... and in writing the file
};

}  // namespace

void unpack_image(const std::string& image, const std::string& folder) {
  Unpacker(image).folder(EXT2_ROOT_INO, folder);
}

}  // namespace image
