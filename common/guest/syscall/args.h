// System-call arguments, and the signature all handlers share.
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/mm/user.h"

namespace guest {

/// The six register arguments, in order. Handlers take what they need by the typed accessors.
struct Args {
  std::uint64_t raw[6];
  [[nodiscard]] std::uint64_t u64(int i) const { return raw[i]; }
  [[nodiscard]] std::int64_t i64(int i) const { return static_cast<std::int64_t>(raw[i]); }
  [[nodiscard]] std::uint32_t u32(int i) const { return static_cast<std::uint32_t>(raw[i]); }
  [[nodiscard]] int i32(int i) const { return static_cast<int>(raw[i]); }
  [[nodiscard]] UserAddress user(int i) const { return {raw[i]}; }
};

using Handler = Result<std::int64_t> (*)(const Args&);

}  // namespace guest
