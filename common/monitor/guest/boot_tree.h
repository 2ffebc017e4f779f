// BootTree: lays a RootTree and the first program's arguments out in guest RAM, in the format of
// vmi/boot_tree.h. Made and written by prepare_guest(), before the guest kernel's first
// instruction; host files are read straight into their page frames.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "monitor/guest/memory.h"
#include "monitor/root/tree.h"
#include "vmi/boot_tree.h"

namespace monitor {

class BootTree {
 public:
  /// Only lays out: no host file is read yet. Keeps a reference to `root`.
  BootTree(const RootTree& root, const std::vector<std::string>& argv,
           const std::vector<std::string>& env);

  [[nodiscard]] std::uint64_t bytes() const { return header_.total_bytes; }
  [[nodiscard]] std::uint32_t frames() const {
    return static_cast<std::uint32_t>(bytes() >> vmi::page_shift);
  }
  /// Fills frames [first, first + frames()). Throws HostError when the tree leaves the guest too
  /// little memory to run in, or a host file cannot be read.
  void write(const GuestMemory& memory, vmi::Frame first) const;

 private:
  void add_node(const std::string& path, const RootNode& node);
  std::uint32_t add_string(const std::string& text);

  struct Content {
    const RootNode* node;
    std::uint32_t frame;  // relative to the tree's first
  };

  vmi::BootTreeHeader header_{};
  std::vector<vmi::BootTreeEntry> entries_;
  std::string strings_;
  std::vector<Content> contents_;
  std::map<std::string, std::uint32_t> directories_;  // guest path to entry
  std::uint64_t content_frames_ = 0;
};

}  // namespace monitor
