// Unpacks a root tree into a tmpfs, or lays an overlay over one on disk, and pivots into it. The
// tmpfs is made detached (fsopen, fsmount) and filled through its descriptor, so that while host
// files are still being read, no mount hides any of them; only then is it attached, in this
// process's private mount namespace.
#include "monitor/standalone/root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

constexpr const char* attach_point = "/proc";  // a folder that every host has; hidden for us alone
constexpr int marker_pipe_bytes = 1 << 20;

/// What is still to be bound from the host once the tree is attached, host path and guest path:
/// devices that this process may not make itself.
using HostDevices = std::vector<std::pair<std::string, std::string>>;

std::string relative(const std::string& guest_path) {
  return guest_path == "/" ? "." : guest_path.substr(1);
}

int make_detached_tmpfs(const char* mode = "0755") {
  int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) {
    throw_errno("cannot make a tmpfs for standalone",
                "Linux 5.2 or later and CAP_SYS_ADMIN in a "
                "namespace are needed");
  }
  fsconfig(context, FSCONFIG_SET_STRING, "mode", mode, 0);
  fsconfig(context, FSCONFIG_SET_STRING, "source", "typetwo", 0);
  int mounted = -1;
  if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) {
    mounted = fsmount(context, FSMOUNT_CLOEXEC, 0);
  }
  if (mounted < 0) throw_errno("cannot mount a tmpfs for standalone");
  close(context);
  return mounted;
}

void write_all(int fd, const std::string& content, const std::string& path) {
  for (std::size_t done = 0; done < content.size();) {
    ssize_t bytes = write(fd, content.data() + done, content.size() - done);
    if (bytes < 0) throw_errno(fmt::format("cannot unpack {}", path));
    done += static_cast<std::size_t>(bytes);
  }
}

void copy_host_file(int to, const std::string& host_path) {
  int from = open(host_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) throw_errno(fmt::format("cannot read {}", host_path));
  ssize_t bytes;
  do {
    bytes = sendfile(to, from, nullptr, 1 << 30);
  } while (bytes > 0);
  if (bytes < 0) {
    throw_errno(fmt::format("cannot unpack {}", host_path), "is there memory for its copy?");
  }
  close(from);
}

void make_file(int root, const std::string& path, const RootNode& node) {
  int fd = openat(root, relative(path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) throw_errno(fmt::format("cannot unpack {}", path));
  if (node.host_path.empty()) {
    write_all(fd, node.content, path);
  } else {
    copy_host_file(fd, node.host_path);
  }
  if (fchmod(fd, node.mode & 07777) != 0) throw_errno(fmt::format("cannot unpack {}", path));
  close(fd);
}

void make_device(int root, const std::string& path, const RootNode& node, HostDevices& missing) {
  auto name = relative(path);
  // The host's own console is no business of a workload's: there it writes to nobody.
  bool console = path == "/dev/console";
  dev_t device = console ? makedev(1, 3) : node.rdev;
  if (path == "/dev/marker") {
    if (mkfifoat(root, name.c_str(), 0666) != 0) throw_errno("cannot unpack " + path);
    if (fchmodat(root, name.c_str(), 0666, 0) != 0) throw_errno("cannot unpack " + path);
    return;
  }
  if (mknodat(root, name.c_str(), node.mode, device) == 0) {
    if (fchmodat(root, name.c_str(), node.mode & 07777, 0) != 0) {
      throw_errno("cannot unpack " + path);
    }
    // A tmpfs of a user namespace lets one make the node and not open it.
    int fd = openat(root, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) close(fd);
    if (fd >= 0 || errno != EACCES) return;
    unlinkat(root, name.c_str(), 0);
  }
  RootNode place;  // to bind over
  place.mode = S_IFREG | 0666;
  make_file(root, path, place);
  missing.emplace_back(console ? "/dev/null" : path, path);
}

void set_time(int root, const std::string& path, const RootNode& node) {
  timespec time{.tv_sec = static_cast<time_t>(node.mtime_ns / 1'000'000'000),
                .tv_nsec = static_cast<long>(node.mtime_ns % 1'000'000'000)};
  timespec times[2] = {time, time};
  utimensat(root, relative(path).c_str(), times, AT_SYMLINK_NOFOLLOW);
}

void make_node(int root, const std::string& path, const RootNode& node, HostDevices& missing) {
  auto name = relative(path);
  if (S_ISDIR(node.mode)) {
    if (path != "/" && mkdirat(root, name.c_str(), 0700) != 0) throw_errno("cannot unpack " + path);
    if (fchmodat(root, name.c_str(), node.mode & 07777, 0) != 0) {
      throw_errno("cannot unpack " + path);
    }
  } else if (S_ISLNK(node.mode)) {
    if (symlinkat(node.content.c_str(), root, name.c_str()) != 0) {
      throw_errno("cannot unpack " + path);
    }
  } else if (S_ISCHR(node.mode)) {
    make_device(root, path, node, missing);
  } else {
    make_file(root, path, node);
  }
}

HostDevices unpack(const RootTree& tree, int root) {
  HostDevices missing;
  umask(0);
  for (const auto& [path, node] : tree.nodes()) make_node(root, path, node, missing);
  // Children first: making a file in a folder changes the folder's time.
  for (auto at = tree.nodes().rbegin(); at != tree.nodes().rend(); ++at) {
    set_time(root, at->first, at->second);
  }
  return missing;
}

/// The old root is gone from this namespace afterwards. Where the host runs from its initial ramfs
/// pivot_root is impossible; then the new root is moved over the old one.
void make_root() {
  if (chdir(attach_point) != 0) throw_errno("cannot enter the standalone root");
  if (syscall(SYS_pivot_root, ".", ".") == 0) {
    umount2(".", MNT_DETACH);
  } else if (mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || chroot(".") != 0) {
    throw_errno("cannot change the root for standalone");
  }
  if (chdir("/") != 0) throw_errno("cannot enter the standalone root");
}

int open_marker() {
  int fifo = open("/dev/marker", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fifo >= 0) fcntl(fifo, F_SETPIPE_SZ, marker_pipe_bytes);
  return fifo;
}

/// An overlay of the tree, changes going to the scratch folder; -1 where the host allows none.
/// Relative paths, from the folder both lie in: an overlay's options give ':' and ',' a meaning.
int make_detached_overlay(const HostRoot& root) {
  std::filesystem::path scratch = std::filesystem::canonical(root.scratch);
  std::filesystem::path tree = std::filesystem::canonical(root.tree);
  if (chdir(scratch.parent_path().c_str()) != 0) throw_errno("cannot enter the unpacked image");
  std::string name = scratch.filename(), upper = name + "/upper", work = name + "/work";
  if (mkdir(upper.c_str(), 0755) != 0 || mkdir(work.c_str(), 0755) != 0) {
    throw_errno("cannot write beside the unpacked image");
  }
  int context = fsopen("overlay", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int mounted = -1;
  auto set = [&](const char* key, const std::string& value) {
    return fsconfig(context, FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
  };
  if (set("lowerdir", std::filesystem::relative(tree)) && set("upperdir", upper) &&
      set("workdir", work) && fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) {
    mounted = fsmount(context, FSMOUNT_CLOEXEC, 0);
  }
  close(context);
  return mounted;
}

void attach(int mounted, const std::string& to) {
  if (mounted < 0 || move_mount(mounted, "", AT_FDCWD, to.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    throw_errno("cannot attach the root for standalone");
  }
  close(mounted);
}

/// The mount point below the attached root; one that the image lacks, or has as something else, is
/// made: in the overlay, as a rule, so that nobody else sees it.
std::string mount_point(const char* name) {
  const std::string path = std::string(attach_point) + name;
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return path;
    unlink(path.c_str());
  }
  if (mkdir(path.c_str(), 0755) != 0) {
    throw_errno(fmt::format("the image has no folder {}, and standalone cannot make one", name),
                fmt::format("make it: debugfs -w -R 'mkdir {}' IMAGE", name));
  }
  return path;
}

/// /tmp and /dev are memory in guests as well. Returns the devices that must be bound.
HostDevices attach_memory_folders() {
  attach(make_detached_tmpfs("1777"), mount_point("/tmp"));
  attach(make_detached_tmpfs(), mount_point("/dev"));
  int fd = open(attach_point, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw_errno("cannot open the standalone root");
  HostDevices missing;
  const RootTree system = RootTree::system_folders();
  for (const auto& [path, node] : system.nodes()) {
    if (path.rfind("/dev/", 0) == 0) make_node(fd, path, node, missing);
  }
  close(fd);
  return missing;
}

void make_mounts_private() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw_errno("cannot make mounts private for standalone");
  }
}

/// What every standalone root gets once it is attached; then it becomes the root.
void finish_root(const HostDevices& missing, StandaloneRoot& made) {
  for (const auto& [host, path] : missing) {
    if (mount(host.c_str(), (attach_point + path).c_str(), nullptr, MS_BIND, nullptr) != 0) {
      made.warning += fmt::format("standalone has no {}: {}. ", path, strerror(errno));
    }
  }
  // Before the old root goes: a user namespace may mount a /proc only while it sees another.
  std::string proc = mount_point("/proc");
  if (mount("proc", proc.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    made.warning += fmt::format("standalone has no /proc: {}. ", strerror(errno));
  }
  make_root();
  made.marker_fifo = open_marker();
}

}  // namespace

StandaloneRoot enter_root(const RootTree& tree) {
  StandaloneRoot made;
  make_mounts_private();
  int root = make_detached_tmpfs();
  HostDevices missing = unpack(tree, root);
  attach(root, attach_point);
  finish_root(missing, made);
  return made;
}

StandaloneRoot enter_host_root(const HostRoot& root) {
  StandaloneRoot made;
  make_mounts_private();
  umask(0);
  int mounted = make_detached_overlay(root);
  if (mounted < 0) {
    made.warning = fmt::format(
        "this host allows no overlay file system here ({}), so what the program writes changes {} "
        "itself: remove that folder to have it unpacked again. ",
        strerror(errno), root.tree);
    mounted = static_cast<int>(
        syscall(SYS_open_tree, AT_FDCWD, root.tree.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  }
  attach(mounted, attach_point);
  finish_root(attach_memory_folders(), made);
  return made;
}

}  // namespace monitor
