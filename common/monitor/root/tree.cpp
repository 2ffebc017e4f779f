// The files of a guest, gathered from host folders, single files and made-up ones. Contents stay
// where they are until a runner lays them out: a node of a host file holds only its path.
//
// A guest has one user, root, so everything in the tree belongs to it, whoever owns it on the host:
// the same tree gives the same listing for every person and every configuration.
#include "monitor/root/tree.h"

#include <dirent.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

constexpr std::uint32_t directory_mode = S_IFDIR | 0755;

struct DeviceNode {
  const char* name;
  unsigned major, minor;
  std::uint32_t permissions;
};

// Linux's own numbers; the marker is ours, from the numbers that Linux leaves to local use.
constexpr DeviceNode device_nodes[] = {
    {"null", 1, 3, 0666},    {"zero", 1, 5, 0666},     {"full", 1, 7, 0666},
    {"random", 1, 8, 0666},  {"urandom", 1, 9, 0666},  {"tty", 5, 0, 0666},
    {"console", 5, 1, 0600}, {"marker", 240, 0, 0666},
};

/// A process's own open files, as paths.
constexpr std::pair<const char*, const char*> descriptor_links[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};

std::uint64_t nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

/// "/a//b/./" to "/a/b". Guest paths are absolute and never climb.
std::string clean_path(const std::string& path) {
  if (path.empty() || path[0] != '/') {
    throw UsageError(fmt::format("guest path '{}' is not absolute: write /{}", path, path));
  }
  std::string clean;
  for (std::size_t at = 1; at <= path.size();) {
    auto end = std::min(path.find('/', at), path.size());
    std::string part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      throw UsageError(fmt::format("guest path '{}' contains '..': write it out", path));
    }
    if (part.size() > NAME_MAX) {
      throw UsageError(fmt::format("guest path '{}' has a name longer than 255 bytes", path));
    }
    clean += '/' + part;
  }
  return clean.empty() ? "/" : clean;
}

std::string parent_of(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string read_link(const std::string& path) {
  char target[PATH_MAX];
  ssize_t bytes = readlink(path.c_str(), target, sizeof target);
  if (bytes < 0) throw_errno(fmt::format("cannot read the symbolic link {}", path));
  return {target, static_cast<std::size_t>(bytes)};
}

constexpr int max_links = 40;  // of one path, as Linux has it

/// Where a node goes, so that a Debian tree, whose /bin is a link to usr/bin, takes /bin/x.
std::string place_of(const RootTree& tree, const std::string& guest_path) {
  const std::string path = clean_path(guest_path);
  const auto place = tree.resolve(path, false);
  if (!place) throw UsageError(fmt::format("guest path '{}' leads through a loop of links", path));
  return *place;
}

RootNode node_from_host(const std::string& path, const struct stat& host) {
  RootNode node;
  node.mode = host.st_mode;
  node.mtime_ns = nanoseconds(host.st_mtim);
  if (S_ISREG(host.st_mode)) {
    if (access(path.c_str(), R_OK) != 0) throw_errno(fmt::format("cannot read {}", path));
    node.host_path = path;
    node.size = static_cast<std::uint64_t>(host.st_size);
  } else if (S_ISLNK(host.st_mode)) {
    node.content = read_link(path);
    node.size = node.content.size();
  } else if (!S_ISDIR(host.st_mode)) {
    throw HostError(fmt::format(
        "cannot take {} into the guest: it is neither file, folder nor symbolic link; leave it out",
        path));
  }
  return node;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(folder.c_str()), closedir);
  if (!stream) throw_errno(fmt::format("cannot read the folder {}", folder));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

void put(std::map<std::string, RootNode>& nodes, const std::string& path, RootNode node);

/// Every folder above `path` that is missing.
void make_parents(std::map<std::string, RootNode>& nodes, const std::string& path) {
  if (path == "/") return;
  std::string parent = parent_of(path);
  auto found = nodes.find(parent);
  if (found == nodes.end()) {
    RootNode folder;
    folder.mode = directory_mode;
    put(nodes, parent, folder);
  } else if (!S_ISDIR(found->second.mode)) {
    throw UsageError(
        fmt::format("cannot put {} into the guest: {} is not a folder there", path, parent));
  }
}

void put(std::map<std::string, RootNode>& nodes, const std::string& path, RootNode node) {
  if (path == "/" && !S_ISDIR(node.mode)) {
    throw UsageError("a file cannot be the guest's root: name where it goes, as in FILE:/bin/FILE");
  }
  make_parents(nodes, path);
  auto [at, fresh] = nodes.try_emplace(path, node);
  if (fresh) return;
  if (S_ISDIR(at->second.mode) != S_ISDIR(node.mode)) {
    throw UsageError(fmt::format("guest path {} is given as a folder and as a file", path));
  }
  at->second = std::move(node);
}

/// Folders of which a guest has its own; a whole system's, on a host, hold devices and the like.
bool is_made_by_guests(const std::string& path) {
  return path == "/dev" || path == "/proc" || path == "/sys";
}

/// Symbolic links are kept, never followed, so no loop is possible.
void put_host_tree(std::map<std::string, RootNode>& nodes, const std::string& host,
                   const std::string& guest, bool whole_system = false) {
  struct stat status;
  if (lstat(host.c_str(), &status) != 0) throw_errno(fmt::format("cannot read {}", host));
  put(nodes, guest, node_from_host(host, status));
  if (!S_ISDIR(status.st_mode) || (whole_system && is_made_by_guests(guest))) return;
  for (const auto& name : names_in(host)) {
    put_host_tree(nodes, host + '/' + name, (guest == "/" ? "" : guest) + '/' + name, whole_system);
  }
}

void put_missing(std::map<std::string, RootNode>& nodes, const std::string& path,
                 const RootNode& node) {
  if (!nodes.contains(path)) put(nodes, path, node);
}

/// What every guest has, whatever its root came from.
void put_system_folders(std::map<std::string, RootNode>& nodes) {
  RootNode folder;
  folder.mode = directory_mode;
  for (const char* path : {"/", "/dev", "/proc"}) put_missing(nodes, path, folder);
  folder.mode = S_IFDIR | 01777;
  for (const char* path : {"/tmp", "/dev/shm"}) put_missing(nodes, path, folder);
  for (const auto& [name, target] : descriptor_links) {
    RootNode link;
    link.mode = S_IFLNK | 0777;
    link.content = target;
    link.size = link.content.size();
    put_missing(nodes, std::string("/dev/") + name, link);
  }
  for (const auto& device : device_nodes) {
    RootNode node;
    node.mode = S_IFCHR | device.permissions;
    node.rdev = makedev(device.major, device.minor);
    put_missing(nodes, std::string("/dev/") + device.name, node);
  }
}

}  // namespace

RootTree RootTree::standard() {
  RootTree tree;
  put_system_folders(tree.nodes_);
  RootNode home;
  home.mode = S_IFDIR | 0700;
  put(tree.nodes_, "/root", home);
  tree.add_file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  tree.add_file("/etc/group", "root:x:0:\n");
  struct stat busybox;
  if (stat("/bin/busybox", &busybox) != 0) {
    throw HostError("/bin/busybox is not there: install Debian's busybox-static");
  }
  put(tree.nodes_, "/bin/busybox", node_from_host("/bin/busybox", busybox));
  RootNode shell;
  shell.mode = S_IFLNK | 0777;
  shell.content = "busybox";
  shell.size = shell.content.size();
  put(tree.nodes_, "/bin/sh", shell);
#ifdef TYPETWO_WORKLOAD_DIR
  if (access(TYPETWO_WORKLOAD_DIR, F_OK) == 0) tree.add(TYPETWO_WORKLOAD_DIR, "/workloads");
#endif
  return tree;
}

RootTree RootTree::from_directory(const std::string& host_directory) {
  struct stat status;
  if (stat(host_directory.c_str(), &status) != 0) {
    throw_errno(fmt::format("cannot read the root folder {}", host_directory));
  }
  if (!S_ISDIR(status.st_mode)) {
    throw UsageError(fmt::format("the root {} is not a folder", host_directory));
  }
  RootTree tree;
  put_host_tree(tree.nodes_, host_directory + "/.", "/", true);
  put_system_folders(tree.nodes_);
  return tree;
}

RootTree RootTree::system_folders() {
  RootTree tree;
  put_system_folders(tree.nodes_);
  return tree;
}

void RootTree::add(const std::string& host_path, const std::string& guest_path) {
  struct stat status;
  // The thing named on the command line may be a link to it; below that, links stay links.
  if (stat(host_path.c_str(), &status) != 0) {
    throw_errno(fmt::format("cannot add {}", host_path));
  }
  std::string guest = place_of(*this, guest_path);
  put(nodes_, guest, node_from_host(host_path, status));
  if (!S_ISDIR(status.st_mode)) return;
  for (const auto& name : names_in(host_path)) {
    put_host_tree(nodes_, host_path + '/' + name, (guest == "/" ? "" : guest) + '/' + name);
  }
}

void RootTree::add_file(const std::string& guest_path, std::string content, std::uint32_t mode) {
  RootNode node;
  node.mode = S_IFREG | mode;
  node.size = content.size();
  node.content = std::move(content);
  add_node(guest_path, node);
}

void RootTree::add_node(const std::string& guest_path, const RootNode& node) {
  put(nodes_, place_of(*this, guest_path), node);
}

RootNode RootTree::node_of_host(const std::string& host_path) {
  struct stat status;
  if (lstat(host_path.c_str(), &status) != 0) throw_errno(fmt::format("cannot read {}", host_path));
  return node_from_host(host_path, status);
}

std::optional<std::string> RootTree::resolve(const std::string& path, bool follow_last) const {
  std::string rest = path, at;
  for (int links = 0; !rest.empty();) {
    const auto slash = rest.find('/', 1);
    const std::string part = rest.substr(0, slash);
    rest = slash == std::string::npos ? "" : rest.substr(slash);
    if (part == "/" || part == "/.") continue;
    if (part == "/..") {
      at.resize(at.empty() ? 0 : at.rfind('/'));
      continue;
    }
    const RootNode* node = find(at + part);
    if (!node || !S_ISLNK(node->mode) || (rest.empty() && !follow_last)) {
      at += part;
      continue;
    }
    if (++links > max_links || node->content.empty()) return std::nullopt;
    if (node->content[0] == '/') at.clear();
    rest = (node->content[0] == '/' ? "" : "/") + node->content + rest;
  }
  return at.empty() ? "/" : at;
}

const RootNode* RootTree::find(const std::string& guest_path) const {
  auto found = nodes_.find(guest_path);
  return found == nodes_.end() ? nullptr : &found->second;
}

}  // namespace monitor
