// BootTreeReader: the boot tree as the launcher laid it in guest RAM (vmi/boot_tree.h), read
// through hypercalls and believed only after a check. What makes no sense ends in a panic that
// says so: there is nothing to boot from. Used by boot_mount.cpp only.
#pragma once

#include "guest/heap/string.h"
#include "guest/heap/vec.h"
#include "guest/mm/frames.h"
#include "vmi/boot_tree.h"

namespace guest {

class BootTreeReader {
 public:
  explicit BootTreeReader(FrameRun tree);

  [[nodiscard]] std::uint32_t entries() const { return header_.entries; }
  vmi::BootTreeEntry entry(std::uint32_t index);
  Result<String> name(const vmi::BootTreeEntry& entry);
  Result<String> symlink_target(const vmi::BootTreeEntry& entry);
  /// The frames that hold a regular file's contents.
  FrameRun contents(const vmi::BootTreeEntry& entry);
  Result<> arguments(Vec<String>& argv, Vec<String>& envp);

  [[noreturn]] static void refuse(const char* format, std::uint64_t value);

 private:
  void check_header();
  Result<String> string_at(std::uint64_t offset, std::uint64_t max);
  Result<> string_list(std::uint64_t offset, std::uint32_t count, Vec<String>& list);

  static constexpr std::uint32_t batch_entries = 32;
  Frame first_;
  Frames frames_;
  vmi::BootTreeHeader header_;
  vmi::BootTreeEntry batch_[batch_entries];
  std::uint32_t batch_begin_ = UINT32_MAX;
};

}  // namespace guest
