// Parents come before children in a root tree; times are set children first, because making a file
// changes its folder's time.
#include "workloads/image/directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "monitor/error.h"

namespace image {
namespace {

namespace fs = std::filesystem;
using monitor::RootNode;
using monitor::throw_errno;

void write_content(int fd, const std::string& content) {
  for (std::size_t done = 0; done < content.size();) {
    ssize_t bytes = write(fd, content.data() + done, content.size() - done);
    if (bytes < 0) return;  // seen by the caller, as the size
    done += static_cast<std::size_t>(bytes);
  }
}

void copy_content(int fd, const std::string& host_path) {
  int from = open(host_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) throw_errno("cannot read " + host_path);
  while (sendfile(fd, from, nullptr, 1 << 30) > 0) {
  }
  close(from);
}

void write_file(const std::string& path, const RootNode& node) {
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) throw_errno("cannot make " + path);
  if (node.host_path.empty()) {
    write_content(fd, node.content);
  } else {
    copy_content(fd, node.host_path);
  }
  struct stat status {};
  bool whole = fstat(fd, &status) == 0 && static_cast<std::uint64_t>(status.st_size) == node.size;
  fchmod(fd, node.mode & 07777);
  close(fd);
  if (!whole)
    throw monitor::HostError(fmt::format("cannot write all of {}: is the disk full?", path));
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
  if (S_ISDIR(node.mode)) chmod(path.c_str(), node.mode & 07777);
  timespec time{.tv_sec = static_cast<time_t>(node.mtime_ns / 1'000'000'000),
                .tv_nsec = static_cast<long>(node.mtime_ns % 1'000'000'000)};
  timespec times[2] = {time, time};
  utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
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

void remove_tree(const std::string& path) {
  std::error_code error;
  if (geteuid() != 0 && fs::is_directory(fs::symlink_status(path, error))) open_folders(path);
  fs::remove_all(path, error);
  if (error) {
    throw monitor::HostError(fmt::format("cannot remove {}: {}", path, error.message()));
  }
}

std::string unfinished_name(const std::string& output) {
  return output + ".typetwo-unfinished";
}

ScratchFolder::ScratchFolder(std::string path) : path_(std::move(path)) {
  remove_tree(path_);
  if (mkdir(path_.c_str(), 0700) != 0) throw_errno("cannot make the folder " + path_);
}

ScratchFolder::~ScratchFolder() {
  try {
    remove_tree(path_);
  } catch (const std::exception&) {  // the next run tries again
  }
}

}  // namespace image
