// The folder itself is the lock: runs hold it shared, unpacking needs it alone.
#include "workloads/image/unpacked_image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <regex>

#include "monitor/root/block_image.h"
#include "monitor/tool/error.h"
#include "monitor/tool/message.h"
#include "monitor/tool/output_file.h"
#include "workloads/image/directory.h"
#include "workloads/image/root_image.h"

namespace image {
namespace {

namespace fs = std::filesystem;
using monitor::throw_errno;

constexpr const char* remedy = "move that away, or copy the image to another place";

std::string stamp_of(const struct stat& status) {
  return fmt::format("2 {} {} {}.{:09} {}", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec, content_of("/proc/sys/kernel/random/boot_id"));
}

/// Changes whenever the image's bytes may have, or the unpacked ones: these are not flushed, so
/// after the host's next boot they count for nothing.
std::string state_of(const std::string& image) {
  struct stat status {};
  if (stat(image.c_str(), &status) != 0) throw_errno("cannot read the image " + image);
  return stamp_of(status);
}

/// Of a tree that is not whole; no image's state.
std::string unfinished_state() {
  return stamp_of({});
}

bool is_stamp(const std::string& text) {
  static const std::regex form(R"(2 \d+ \d+ \d+\.\d{9} [0-9a-f-]{36}\n)");
  return std::regex_match(text, form);
}

void lock(int fd, int how, const std::string& folder) {
  if (flock(fd, how | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK) {
    monitor::say("typetwo: waiting for another run that uses {}\n", folder);
    if (flock(fd, how) == 0) return;
  }
  throw_errno("cannot lock " + folder);
}

/// IMAGE.tree, or if that is another user's, who lets nobody in, IMAGE.tree-UID.
std::string folder_for(const std::string& image) {
  const std::string folder = image + ".tree";
  struct stat status {};
  const bool anothers =
      lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid != geteuid();
  return anothers ? fmt::format("{}-{}", folder, geteuid()) : folder;
}

}  // namespace

UnpackedImage::UnpackedImage(const std::string& image) : folder_(folder_for(image)) {
  // For nobody else: files of a guest may be setuid to root.
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_errno("cannot unpack the image beside itself, into " + folder_,
                "copy the image to a folder that you may write to");
  }
  lock_ = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (lock_ < 0) throw_errno("cannot unpack the image into " + folder_, remedy);
  try {
    refresh(image);
    scratch_ = fmt::format("{}/run-{}", folder_, getpid());
    if (mkdir(scratch_.c_str(), 0700) != 0) throw_errno("cannot make " + scratch_);
  } catch (...) {
    close(lock_);
    throw;
  }
}

UnpackedImage::~UnpackedImage() {
  try {
    remove_tree(scratch_);
  } catch (const std::exception&) {  // the next run tries again
  }
  close(lock_);
}

/// Ends with the lock shared and the tree up to date. Changing a lock lets it go for a moment, so
/// everything is asked again. An image that a guest may be writing is not unpacked.
void UnpackedImage::refresh(const std::string& image) {
  const std::string stamp = folder_ + "/stamp", root = folder_ + "/root";
  if (flock(lock_, LOCK_EX | LOCK_NB) == 0) {
    require_ours();
    remove_ended_runs();
  }
  for (;;) {
    lock(lock_, LOCK_SH, folder_);
    std::string state = state_of(image);
    if (content_of(stamp) == state) return;
    lock(lock_, LOCK_EX, folder_);
    if (content_of(stamp) == state) continue;
    require_ours();
    const monitor::BlockImage unwritten(image, true);
    state = state_of(image);
    monitor::write_file(stamp, unfinished_state());
    remove_tree(root);
    monitor::require_room(root, used_bytes(image));
    if (mkdir(root.c_str(), 0755) != 0) throw_errno("cannot make " + root);
    unpack_image(image, root);
    monitor::write_file(stamp, state);
  }
}

/// A folder of that name may be somebody's own, from which nothing may be removed: ours has had a
/// stamp since its first moment. Needs the lock alone: otherwise that moment may be now.
void UnpackedImage::require_ours() const {
  struct stat status {};
  const std::string stamp = folder_ + "/stamp";
  if (fstat(lock_, &status) == 0 && status.st_uid == geteuid()) {
    if (is_stamp(content_of(stamp))) return;
    remove_tree(monitor::unfinished_name(stamp));
    if (fs::is_empty(folder_)) return;
  }
  throw monitor::HostError(
      fmt::format("cannot unpack the image into {}: typetwo did not make this folder for you; {}",
                  folder_, remedy));
}

/// Of runs that were killed: whoever has the lock alone knows that no run is alive.
void UnpackedImage::remove_ended_runs() const {
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().filename().string().rfind("run-", 0) == 0) remove_tree(entry.path());
  }
}

}  // namespace image
