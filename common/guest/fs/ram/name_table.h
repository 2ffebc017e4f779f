// NameTable: the entries of one RAM directory. Looked up by hash, listed in the order of creation
// by a cookie that never changes, so that a listing that goes on while files come and go (rm -r)
// neither skips nor repeats what stayed.
#pragma once

#include <cstdint>
#include <string_view>

#include "guest/heap/vec.h"
#include "guest/vfs/inode.h"

namespace guest {

struct NameEntry {
  Ref<Inode> inode;
  NameEntry* next = nullptr;  // in its hash bucket
  std::uint32_t cookie = 0;
  std::uint32_t hash = 0;
  std::uint8_t length = 0;
  char bytes[1];  // `length` of them: allocated behind the struct
  [[nodiscard]] std::string_view name() const { return {bytes, length}; }
};

class NameTable {
 public:
  static constexpr std::uint32_t first_cookie = 2;  // 0 and 1 are "." and ".."

  NameTable() = default;
  ~NameTable();
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  [[nodiscard]] NameEntry* find(std::string_view name) const;
  /// The name must be new, and at most 255 bytes.
  Result<> insert(std::string_view name, Ref<Inode> inode);
  void erase(NameEntry* entry);
  /// The first entry whose cookie is `cookie` or more; nullptr at the end.
  [[nodiscard]] NameEntry* from(std::uint64_t cookie) const;
  [[nodiscard]] bool empty() const { return order_.empty(); }
  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  [[nodiscard]] std::size_t index(std::uint64_t cookie) const;
  void add_to_bucket(NameEntry* entry);
  void grow_buckets();

  Vec<NameEntry*> order_{HeapKind::inode};  // by cookie
  Vec<NameEntry*> buckets_{
      HeapKind::inode};  // empty while the directory is small: then order_ is searched
  std::uint32_t next_cookie_ = first_cookie;
};

}  // namespace guest
