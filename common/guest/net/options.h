// The options that all sockets have (SOL_SOCKET), as they stand; and the form in which any option
// crosses to a program.
#pragma once

#include <cstdint>

#include "guest/abi/sockets.h"
#include "guest/base/result.h"
#include "guest/mm/user.h"

namespace guest {

/// A value on its way out.
struct OptionValue {
  union {
    std::int32_t number;
    std::int64_t time[2];
    std::uint8_t bytes[256];
  };
  OptionValue() : bytes{} {}
  template <class T>
  std::size_t set(const T& value) {
    static_assert(sizeof value <= sizeof bytes);
    __builtin_memcpy(bytes, &value, sizeof value);
    return sizeof value;
  }
  std::size_t set_number(std::int64_t value) { return set(static_cast<std::int32_t>(value)); }
};

struct SocketOptions {
  static constexpr std::uint32_t usual_buffer = 212'992, largest_buffer = 2 * usual_buffer,
                                 smallest_send_buffer = 4608, smallest_receive_buffer = 2304;

  bool debug = false, reuse_address = false, reuse_port = false, keep_alive = false,
       broadcast = false, out_of_band_inline = false, dont_route = false, pass_credentials = false;
  bool send_buffer_set = false, receive_buffer_set = false;
  std::int32_t priority = 0, receive_low_water = 1;
  std::uint32_t send_buffer = usual_buffer, receive_buffer = usual_buffer;
  abi::Linger linger = {};
  std::uint64_t send_timeout_ns = 0, receive_timeout_ns = 0;  // 0: none

  /// Of SOL_SOCKET. ENOPROTOOPT: unknown, or not to be set.
  Result<> set(int name, UserAddress value, std::uint32_t bytes);
  /// Those that are kept here; how long.
  Result<std::size_t> get(int name, OptionValue& value) const;

 private:
  bool* flag(int name);
  Result<> set_timeout(std::uint64_t& timeout, UserAddress value, std::uint32_t bytes);
  Result<> set_number(int name, std::int32_t number);
};

/// An option that is an int, as setsockopt takes it. EINVAL: too short.
Result<std::int32_t> option_number(UserAddress value, std::uint32_t bytes);

}  // namespace guest
