// The unfinished file has one fixed name and is locked: so killed runs leave at most one, which the
// next run takes over, and two runs write one after the other.
#include "monitor/tool/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

namespace fs = std::filesystem;

const char* remedy_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "make room on that file system, or name another place";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f)";
    case ENOENT:
    case ENOTDIR:
      return "make its folder, or name another place";
    case EISDIR:
      return "that is a folder: name a file";
    case EPIPE:
      return "its reader is gone";
    case EIO:
      return "the disk is failing: name another place";
    default:
      return "name a place that you may write to";
  }
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

/// What a path leads to.
struct Target {
  std::string path;
  bool direct = false;  // no regular file, nor the place for one: opened and written as it is
  int own = -1;         // our own descriptor, by a link of /proc
};

/// /proc/self/fd/N as N, otherwise -1.
int own_descriptor(const std::string& path) {
  std::error_code error;
  const fs::path own = fs::path("/proc") / std::to_string(getpid()) / "fd";
  if (fs::canonical(folder_of(path), error) != own || error) return -1;
  const std::string name = fs::path(path).filename();
  int number = -1;
  const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), number);
  return wrong == std::errc{} && end == name.data() + name.size() ? number : -1;
}

bool is_link_of_proc(const std::string& path) {
  struct statfs file_system {};
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(path, error)) &&
         statfs(folder_of(path).c_str(), &file_system) == 0 &&
         file_system.f_type == PROC_SUPER_MAGIC;
}

/// Replacing a file takes no right to write it; but who took that right away meant all of it. And
/// the folder has a say, which would otherwise be heard at the very end.
void require_replaceable(const std::string& given, const std::string& path,
                         const struct stat& file) {
  if (faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) throw_unwritten(given);
  const std::string name = folder_of(path);
  struct stat folder {};
  if (faccessat(AT_FDCWD, name.c_str(), W_OK | X_OK, AT_EACCESS) == 0) {
    if (stat(name.c_str(), &folder) != 0) throw_unwritten(given);
    const uid_t own = geteuid();
    const bool kept =
        (folder.st_mode & S_ISVTX) != 0 && own != 0 && own != folder.st_uid && own != file.st_uid;
    if (!kept) return;
    errno = EPERM;
  }
  throw_errno(fmt::format("cannot write {}: its folder does not let you replace it", given),
              remedy_for(errno));
}

Target follow(const std::string& given) {
  Target target{without_links(given)};
  struct stat status {};
  if (lstat(target.path.c_str(), &status) != 0) {
    if (errno == ENOENT && !target.path.empty() && target.path.back() != '/') return target;
    throw_unwritten(given);
  }
  if (is_link_of_proc(target.path)) {
    target.own = own_descriptor(target.path);
  } else if (S_ISLNK(status.st_mode) || S_ISDIR(status.st_mode)) {
    errno = S_ISLNK(status.st_mode) ? ELOOP : EISDIR;
    throw_unwritten(given);
  }
  target.direct = !S_ISREG(status.st_mode);
  if (!target.direct) require_replaceable(given, target.path, status);
  return target;
}

bool are_one_file(const std::string& a, const std::string& b) {
  std::error_code none;
  if (fs::exists(a, none) && fs::exists(b, none)) {
    return fs::is_regular_file(a, none) && fs::equivalent(a, b, none);
  }
  return fs::weakly_canonical(without_links(a), none) ==
         fs::weakly_canonical(without_links(b), none);
}

}  // namespace

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t bytes = write(fd, text.data(), text.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) {
      if (bytes == 0) errno = ENOSPC;  // no error, and no progress either
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(bytes));
  }
  return true;
}

void throw_unwritten(const std::string& path) {
  const int cause = errno;
  throw_errno("cannot write " + path, remedy_for(cause));
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && !fs::is_directory(path, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (!error) return;
  errno = error.value();
  throw_errno("cannot make the folder " + path, remedy_for(error.value()));
}

void flush_folder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // one may be allowed to write a folder and not to read it
  const bool failed = fsync(fd) != 0 && errno == EIO;
  close(fd);
  if (failed) throw_unwritten(path);
}

void require_room(const std::string& path, std::uint64_t bytes) {
  std::string folder = path;
  struct statvfs room {};
  while (statvfs(folder.c_str(), &room) != 0 && folder != "." && folder != "/") {
    folder = folder_of(folder);
  }
  const std::uint64_t blocks = geteuid() == 0 ? room.f_bfree : room.f_bavail;
  // Some file systems do not say.
  if (room.f_blocks == 0 || blocks * room.f_frsize >= bytes) return;
  throw HostError(fmt::format("no room for {}: it takes {} KiB, and {} KiB are free; {}", path,
                              bytes / 1024, blocks * room.f_frsize / 1024, remedy_for(ENOSPC)));
}

std::string without_links(const std::string& path) {
  constexpr int most_links = 40;  // the host kernel's own limit
  fs::path at = path;
  std::error_code error;
  for (int links = 0; links < most_links; ++links) {
    if (!fs::is_symlink(fs::symlink_status(at, error)) || is_link_of_proc(at)) break;
    // An absolute one replaces what it is joined to.
    at = at.parent_path() / fs::read_symlink(at, error);
  }
  return at;
}

std::string unfinished_name(const std::string& output) {
  return output + ".typetwo-unfinished";
}

void require_distinct(const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs) {
  std::vector<std::string> taken = inputs;
  for (const auto& output : outputs) {
    for (const auto& other : taken) {
      if (!are_one_file(output, other)) continue;
      throw UsageError(fmt::format(
          "{} and {} are one file, which would be overwritten: name another", output, other));
    }
    taken.push_back(output);
  }
}

OutputFile::OutputFile(const std::string& path) : path_(path) {
  const Target target = follow(path);
  target_ = target.path;
  if (target.direct) {
    open_direct(target.path, target.own);
  } else {
    open_beside();
  }
}

OutputFile::~OutputFile() {
  if (!unfinished_.empty()) unlink(unfinished_.c_str());
  close_file();
}

void OutputFile::open_direct(const std::string& target, int own) {
  if (own == STDOUT_FILENO) std::fflush(stdout);  // what was printed before comes before
  // Of a descriptor we want its own position; of another's file, not to overwrite anything.
  fd_ = own >= 0 ? fcntl(own, F_DUPFD_CLOEXEC, 3)
                 : open(target.c_str(), O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
  if (fd_ < 0) throw_unwritten(path_);
}

void OutputFile::open_beside() {
  const std::string name = unfinished_name(target_);
  do {
    close_file();
    fd_ = open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd_ < 0) throw_unwritten(path_);
    struct stat status {};
    if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
      close_file();
      throw HostError(name + " is in the way: remove it");
    }
    while (flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }                           // and where a file system has no locks there are none
  } while (!is_still_there());  // another run has finished or removed it while we waited
  unfinished_ = name;
  if (ftruncate(fd_, 0) != 0) throw_unwritten(path_);
}

bool OutputFile::is_still_there() const {
  struct stat opened {
  }, named{};
  return fstat(fd_, &opened) == 0 && stat(unfinished_name(target_).c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

void OutputFile::close_file() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void OutputFile::write(std::string_view text) {
  const BrokenPipesFail guard;
  if (!write_all(fd_, text)) throw_unwritten(path_);
}

void OutputFile::commit() {
  if (unfinished_.empty()) {
    const int fd = std::exchange(fd_, -1);
    if (close(fd) != 0) throw_unwritten(path_);
    return;
  }
  struct stat old {};
  if (stat(target_.c_str(), &old) == 0) {
    // Whoever may not give it away keeps it; the owner first, because that takes mode bits away.
    [[maybe_unused]] const int given = fchown(fd_, old.st_uid, old.st_gid);
    if (fchmod(fd_, old.st_mode & 07777) != 0) throw_unwritten(path_);
  }
  if (fsync(fd_) != 0 && errno != EINVAL) throw_unwritten(path_);  // EINVAL: nothing to flush there
  if (rename(unfinished_.c_str(), target_.c_str()) != 0) throw_unwritten(path_);
  unfinished_.clear();
  close_file();
  flush_folder(folder_of(target_));
}

const std::string& OutputFile::share() {
  if (unfinished_.empty()) throw HostError(path_ + " is no regular file: name one");
  fcntl(fd_, F_SETFD, 0);
  return unfinished_;
}

void OutputFile::check(const std::string& path, std::uint64_t bytes) {
  const Target target = follow(path);
  if (!target.direct) {
    const OutputFile unused(path);
    require_room(path, bytes);
  } else if (target.own >= 0) {
    const int flags = fcntl(target.own, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return;
    errno = EBADF;
    throw_unwritten(path);
  } else if (access(target.path.c_str(), W_OK) != 0) {
    throw_unwritten(path);
  }
}

void write_file(const std::string& path, std::string_view text) {
  OutputFile file(path);
  file.write(text);
  file.commit();
}

BrokenPipesFail::BrokenPipesFail() : before_(std::signal(SIGPIPE, SIG_IGN)) {}

BrokenPipesFail::~BrokenPipesFail() {
  std::signal(SIGPIPE, before_);
}

}  // namespace monitor
