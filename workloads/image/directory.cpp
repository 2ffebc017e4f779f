// Parents come before children in a root tree; times are set children first, because making a file
// changes its folder's time.
#include "workloads/image/directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"

namespace image {
namespace {

namespace fs = std::filesystem;
using monitor::RootNode;
using monitor::throw_errno;

class OpenFile {
 public:
  OpenFile(const std::string& path, int flags, const char* trouble)
      : path_(path), fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (fd_ < 0) throw_errno(trouble + path);
  }
  ~OpenFile() { close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  void write_all(const std::string& content) const {
    if (!monitor::write_all(fd_, content)) monitor::throw_unwritten(path_);
  }
  void copy_all(const OpenFile& from) const {
    ssize_t bytes = 0;
    do bytes = sendfile(fd_, from.fd_, nullptr, 1 << 30);
    while (bytes > 0);
    if (bytes < 0) {
      throw_errno(fmt::format("cannot copy {} to {}", from.path_, path_), "is there room for it?");
    }
  }
  [[nodiscard]] std::uint64_t size() const {
    struct stat status {};
    if (fstat(fd_, &status) != 0) throw_errno("cannot look at " + path_);
    return static_cast<std::uint64_t>(status.st_size);
  }
  void set_mode(mode_t mode) const {
    if (fchmod(fd_, mode) != 0) monitor::throw_unwritten(path_);
  }

 private:
  std::string path_;
  int fd_;
};

void write_file(const std::string& path, const RootNode& node) {
  const OpenFile file(path, O_WRONLY | O_CREAT | O_EXCL, "cannot make ");
  if (node.host_path.empty()) {
    file.write_all(node.content);
  } else {
    file.copy_all(OpenFile(node.host_path, O_RDONLY, "cannot read "));
  }
  if (file.size() != node.size)
    throw monitor::HostError(node.host_path + " changed while it was copied: try again");
  file.set_mode(node.mode & 07777);
}

void write_node(const std::string& path, const RootNode& node, bool is_top) {
  if (S_ISDIR(node.mode)) {
    if (!is_top && mkdir(path.c_str(), 0700) != 0) throw_errno("cannot make " + path);
  } else if (S_ISLNK(node.mode)) {
    if (symlink(node.content.c_str(), path.c_str()) != 0) throw_errno("cannot make " + path);
  } else if (S_ISREG(node.mode)) {
    write_file(path, node);
  }
}

void set_times(const std::string& path, const RootNode& node) {
  if (S_ISDIR(node.mode) && chmod(path.c_str(), node.mode & 07777) != 0) {
    monitor::throw_unwritten(path);
  }
  timespec time{.tv_sec = static_cast<time_t>(node.mtime_ns / 1'000'000'000),
                .tv_nsec = static_cast<long>(node.mtime_ns % 1'000'000'000)};
  timespec times[2] = {time, time};
  if (utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    monitor::throw_unwritten(path);
  }
}

/// Unpacked folders may be closed to their own owner; root is stopped by none.
void open_folders(const std::string& path) {
  chmod(path.c_str(), 0700);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(path, none)) {
    if (!entry.is_symlink(none) && entry.is_directory(none)) open_folders(entry.path());
  }
}

}  // namespace

void write_directory(const monitor::RootTree& tree, const std::string& folder,
                     const std::function<bool(const std::string&)>& wanted) {
  std::vector<std::pair<std::string, const RootNode*>> written;
  for (const auto& [path, node] : tree.nodes()) {
    if (wanted && !wanted(path)) continue;
    std::string host = path == "/" ? folder : folder + path;
    write_node(host, node, path == "/");
    if (!S_ISCHR(node.mode)) written.emplace_back(host, &node);
  }
  for (auto at = written.rbegin(); at != written.rend(); ++at) set_times(at->first, *at->second);
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void remove_tree(const std::string& path) {
  std::error_code error;
  if (geteuid() != 0 && fs::is_directory(fs::symlink_status(path, error))) open_folders(path);
  fs::remove_all(path, error);
  if (error) {
    throw monitor::HostError(fmt::format("cannot remove {}: {}", path, error.message()));
  }
}

void flush_files(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = fd >= 0 && syncfs(fd) == 0;
  const int cause = errno;
  if (fd >= 0) close(fd);
  errno = cause;
  if (!flushed) monitor::throw_unwritten(folder);
}

ScratchFolder::ScratchFolder(std::string path) : path_(std::move(path)) {
  try {
    while (!take()) close_lock();
    if (geteuid() != 0) open_folders(path_);
    for (const auto& entry : fs::directory_iterator(path_)) remove_tree(entry.path());
  } catch (...) {
    close_lock();
    throw;
  }
}

/// False: whoever had it has moved or removed it while we waited.
bool ScratchFolder::take() {
  if (mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) monitor::throw_unwritten(path_);
  lock_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (lock_ < 0 && errno == ENOENT) return false;
  if (lock_ < 0) monitor::throw_unwritten(path_);
  while (flock(lock_, LOCK_EX) != 0 && errno == EINTR) {
  }  // and where a file system has no locks there are none
  struct stat opened {
  }, named{};
  return fstat(lock_, &opened) == 0 && lstat(path_.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

ScratchFolder::~ScratchFolder() {
  try {
    if (!path_.empty()) remove_tree(path_);
  } catch (const std::exception&) {  // the next run tries again
  }
  close_lock();
}

void ScratchFolder::move_to(const std::string& place) {
  if (rename(path_.c_str(), place.c_str()) != 0) monitor::throw_unwritten(place);
  path_.clear();  // from here on that name may be another run's
}

void ScratchFolder::close_lock() {
  if (lock_ >= 0) close(lock_);
  lock_ = -1;
}

}  // namespace image
