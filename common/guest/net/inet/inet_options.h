// The options of internet sockets beyond those of all sockets: IP, IPv6 and TCP. Most of them mean
// nothing on a loopback; what a program has set it can read again.
#pragma once

#include "guest/net/options.h"

namespace guest {

struct InetOption {
  std::int16_t level, name;
  std::int32_t initial, lowest, highest;
};

class InetOptions {
 public:
  /// ENOPROTOOPT, EINVAL.
  Result<> set(int level, int name, std::int32_t number);
  Result<std::int32_t> get(int level, int name) const;
  /// An IP option may come as one byte.
  static Result<std::int32_t> number(int level, UserAddress value, std::uint32_t bytes);

 private:
  static constexpr std::size_t most = 40;
  std::int32_t values_[most] = {};
  std::uint64_t set_ = 0;  // which of them are; others have their initial value
};

}  // namespace guest
