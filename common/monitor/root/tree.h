// The files of a guest, gathered on the host before boot. standalone unpacks the tree into a
// private tmpfs; the monitors lay it in guest RAM as a boot tree (vmi/boot_tree.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace monitor {

struct RootNode {
  std::uint32_t mode = 0;  // st_mode
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t mtime_ns = 0;
  std::uint64_t rdev = 0;
  std::string host_path;  // regular: contents come from this host file ...
  std::string content;    // ... or, when host_path is empty, from here; symlink: target
  std::uint64_t size = 0;
};

/// Guest path ("/bin/busybox") to node; the map's order puts parents before children.
class RootTree {
 public:
  /// The tree without --root: /bin/busybox, /bin/sh -> busybox, /workloads/* (our own static
  /// programs), /etc/passwd, /etc/group, /tmp, /dev/{null,zero,full,tty,console,random,urandom,
  /// marker,fd,stdin,stdout,stderr}, /root, /proc.
  static RootTree standard();
  /// A copy of a host directory (symlinks kept, other file types refused), plus /dev and /tmp
  /// where missing. What is in its /dev, /proc and /sys is left out: guests have their own.
  static RootTree from_directory(const std::string& host_directory);
  /// Only what every guest has: /dev and its nodes, /proc, /tmp.
  static RootTree system_folders();

  /// HOSTPATH:GUESTPATH; a directory is added with all below it. Missing parents are made.
  void add(const std::string& host_path, const std::string& guest_path);
  void add_file(const std::string& guest_path, std::string content, std::uint32_t mode = 0644);
  /// One node, made by the caller. A link among the folders of guest_path is followed, in all
  /// three: where /bin is a link to usr/bin, /bin/x is /usr/bin/x.
  void add_node(const std::string& guest_path, const RootNode& node);

  /// The host's file, folder (without what is in it) or symbolic link as a node.
  static RootNode node_of_host(const std::string& host_path);

  [[nodiscard]] const RootNode* find(const std::string& guest_path) const;
  /// The path with symbolic links followed; the last name's only if asked. Names that are not in
  /// the tree stay. Nothing: a loop of links.
  [[nodiscard]] std::optional<std::string> resolve(const std::string& path,
                                                   bool follow_last = true) const;
  [[nodiscard]] const std::map<std::string, RootNode>& nodes() const { return nodes_; }

  /// Throws HostError unless argv0 is, in this tree, an x86-64 ELF executable whose dynamic linker,
  /// if it wants one, is there too (or a script whose interpreter is such): names what is wrong
  /// and the remedy.
  void check_program(const std::string& argv0) const;

 private:
  std::map<std::string, RootNode> nodes_;
};

}  // namespace monitor
