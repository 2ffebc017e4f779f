// String: an owned, NUL-terminated byte string on the kernel heap. Copies can fail, so they are
// explicit.
#pragma once

#include <string_view>

#include "guest/base/result.h"
#include "guest/heap/vec.h"

namespace guest {

class String {
 public:
  String() = default;
  explicit String(HeapKind kind) : bytes_(kind) {}
  static Result<String> from(std::string_view text, HeapKind kind = HeapKind::kernel) {
    String s(kind);
    TRY(s.append(text));
    return s;
  }
  Result<> reserve(std::size_t bytes) { return bytes_.reserve(bytes + 1); }
  Result<> append(std::string_view text) {
    TRY(bytes_.reserve_more(text.size() + 1));
    if (!bytes_.empty()) bytes_.erase(bytes_.size() - 1);
    for (char c : text) TRY(bytes_.push(c));
    return bytes_.push('\0');
  }
  [[nodiscard]] std::size_t size() const { return bytes_.empty() ? 0 : bytes_.size() - 1; }
  [[nodiscard]] std::string_view view() const { return {c_str(), size()}; }
  [[nodiscard]] const char* c_str() const { return bytes_.empty() ? "" : bytes_.begin(); }

 private:
  Vec<char> bytes_;
};

}  // namespace guest
