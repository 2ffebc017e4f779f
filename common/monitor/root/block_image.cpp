// Opens a disk image: see block_image.h.
#include "monitor/root/block_image.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

constexpr std::uint64_t smallest_image = 64 * 1024;

[[noreturn]] void refuse(int fd, const std::string& why) {
  close(fd);
  throw HostError(why);
}

}  // namespace

BlockImage::BlockImage(const std::string& path, bool read_only) : read_only_(read_only) {
  if (path.empty()) return;
  int fd = open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int error = errno;
    const bool only_writing = !read_only && access(path.c_str(), R_OK) == 0;
    errno = error;
    throw_errno("cannot open the image '" + path + "'" + (only_writing ? " for writing" : ""),
                only_writing ? "copy it, or run with --read-only" : "");
  }
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    refuse(fd, "the image '" + path + "' is not a regular file: name a raw ext2 image");
  bytes_ = static_cast<std::uint64_t>(status.st_size);
  if (bytes_ < smallest_image)
    refuse(fd, "the image '" + path + "' is too small to hold a file system: make it anew");
  if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0)
    refuse(fd, "the image '" + path + "' is in use by another guest: wait for its end, or copy it");
  struct stat named {};
  if (stat(path.c_str(), &named) != 0 || named.st_ino != status.st_ino ||
      named.st_dev != status.st_dev)
    refuse(fd, "the image '" + path + "' was replaced just now: run this again");
  fd_ = fd;
}

BlockImage::~BlockImage() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace monitor
