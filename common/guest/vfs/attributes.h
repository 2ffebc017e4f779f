// Attributes: the extended attributes of one inode, kept in memory by their names. Who may see or
// change which is the system calls' part (syscall/xattr_calls.cpp).
#pragma once

#include <string_view>

#include "guest/heap/string.h"

namespace guest {

class Attributes : public Allocated<HeapKind::inode> {
 public:
  static constexpr std::size_t most_bytes = 64 * 1024;         // of one inode, names included
  static constexpr std::size_t most_of_all = 4 * 1024 * 1024;  // of all inodes in memory
  static constexpr std::size_t longest_value = 64 * 1024;      // Linux's
  enum Condition : std::uint32_t { always, must_be_new, must_be_there };  // setxattr's flags

  ~Attributes();
  /// ENODATA.
  [[nodiscard]] Result<String> get(std::string_view name) const;
  /// EEXIST, ENODATA, ENOSPC.
  Result<> set(std::string_view name, std::string_view value, Condition condition);
  /// ENODATA.
  Result<> remove(std::string_view name);
  /// Each with a NUL behind it, in their order.
  [[nodiscard]] Result<String> names() const;

 private:
  struct Entry {
    String name, value;
    [[nodiscard]] std::size_t bytes() const { return name.size() + value.size(); }
  };
  [[nodiscard]] std::size_t find(std::string_view name) const;
  [[nodiscard]] bool is_at(std::size_t index, std::string_view name) const;

  Vec<Entry> entries_{HeapKind::inode};
  std::size_t bytes_ = 0;
};

}  // namespace guest
