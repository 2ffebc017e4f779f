// TextTree: a tree of small texts, each made when it is read, from a table: most of /proc
// (tree.cpp) and all of /sys (sys_tree.cpp).
#pragma once

#include <span>

#include "guest/fs/proc/node.h"

namespace guest {

struct TextEntry {
  std::string_view path;  // below the root, which comes first and has none; its directories as well
  std::uint32_t mode = mode_directory | 0555;
  Result<String> (*text)() = nullptr;   // contents, or a symlink's target
  Result<> (*command)(char) = nullptr;  // what writing does, by its first character
};

class TextTree : public ProcNode {
 public:
  using Entries = std::span<const TextEntry>;
  TextTree(std::uint64_t device, Entries entries, std::size_t index, Ref<Inode> above)
      : ProcNode(index + 1, entries[index].mode, std::move(above), device),
        entries_(entries),
        index_(index) {}

  Result<std::size_t> write(std::uint64_t at, Source from, std::size_t bytes) override;
  Result<> truncate(std::uint64_t) override { return {}; }  // opened by `>`
  Result<Ref<Inode>> lookup(std::string_view name) override;
  Result<DirectoryEntry> entry(std::uint64_t& position) override;

 protected:
  Result<String> text() override;
  [[nodiscard]] bool root() const { return index_ == 0; }

 private:
  [[nodiscard]] std::string_view name_here(const TextEntry& entry) const;
  const Entries entries_;
  const std::size_t index_;
};

/// A line that holds this.
Result<String> line_of(std::string_view text);
Result<String> number_line(std::uint64_t number);

}  // namespace guest
