// See options.h. Called by setsockopt and getsockopt.
#include "guest/net/options.h"

#include <algorithm>

#include "guest/abi/structs.h"
#include "guest/base/clock.h"
#include "guest/base/narrow.h"
#include "guest/proc/thread.h"

namespace guest {
namespace {

std::uint32_t buffer_size(std::int32_t wanted, std::uint32_t smallest) {
  // Linux takes any number as unsigned, and doubles it for its own bookkeeping.
  const auto asked = std::min(static_cast<std::uint32_t>(wanted), SocketOptions::usual_buffer);
  return std::max(2 * asked, smallest);
}

}  // namespace

Result<std::int32_t> option_number(UserAddress value, std::uint32_t bytes) {
  if (static_cast<std::int32_t>(bytes) < static_cast<std::int32_t>(sizeof(std::int32_t)))
    return Errno::inval;
  return get_user<std::int32_t>(value);
}

bool* SocketOptions::flag(int name) {
  switch (name) {
    case abi::so_debug:
      return &debug;
    case abi::so_reuseaddr:
      return &reuse_address;
    case abi::so_reuseport:
      return &reuse_port;
    case abi::so_keepalive:
      return &keep_alive;
    case abi::so_broadcast:
      return &broadcast;
    case abi::so_oobinline:
      return &out_of_band_inline;
    case abi::so_dontroute:
      return &dont_route;
    case abi::so_passcred:
      return &pass_credentials;
    default:
      return nullptr;
  }
}

Result<> SocketOptions::set_timeout(std::uint64_t& timeout, UserAddress value,
                                    std::uint32_t bytes) {
  constexpr std::int64_t longest_s = 1l << 32;
  if (bytes < sizeof(abi::Timeval)) return Errno::inval;
  const auto time = TRY(get_user<abi::Timeval>(value));
  if (time.microseconds < 0 || time.microseconds >= 1'000'000) return Errno::dom;
  if (time.seconds < 0)
    timeout = 1;  // it is up at once
  else if (time.seconds >= longest_s)
    timeout = 0;
  else
    timeout = static_cast<std::uint64_t>(time.seconds) * ns_per_second +
              static_cast<std::uint64_t>(time.microseconds) * 1000;
  return {};
}

Result<> SocketOptions::set_number(int name, std::int32_t number) {
  switch (name) {
    case abi::so_sndbuf:
    case abi::so_sndbufforce:
      send_buffer = buffer_size(number, smallest_send_buffer);
      send_buffer_set = true;
      return {};
    case abi::so_rcvbuf:
    case abi::so_rcvbufforce:
      receive_buffer = buffer_size(number, smallest_receive_buffer);
      receive_buffer_set = true;
      return {};
    case abi::so_priority:
      if ((number < 0 || number > 6) && current_thread().credentials.euid != 0) return Errno::perm;
      priority = number;
      return {};
    case abi::so_rcvlowat:
      receive_low_water = number < 0 ? INT32_MAX : std::max(number, 1);
      return {};
    case abi::so_busy_poll:
    case abi::so_incoming_cpu:
      return {};
    default:
      return Errno::noprotoopt;
  }
}

Result<> SocketOptions::set(int name, UserAddress value, std::uint32_t bytes) {
  const std::int32_t number = TRY(option_number(value, bytes));
  if (bool* wanted = flag(name)) {
    *wanted = number != 0;
    return {};
  }
  switch (name) {
    case abi::so_linger:
      if (bytes < sizeof linger) return Errno::inval;
      linger = TRY(get_user<abi::Linger>(value));
      linger.on = linger.on != 0;
      return {};
    case abi::so_rcvtimeo:
      return set_timeout(receive_timeout_ns, value, bytes);
    case abi::so_sndtimeo:
      return set_timeout(send_timeout_ns, value, bytes);
    default:
      return set_number(name, number);
  }
}

Result<std::size_t> SocketOptions::get(int name, OptionValue& value) const {
  if (const bool* wanted = const_cast<SocketOptions*>(this)->flag(name))
    return value.set_number(*wanted);
  auto time = [&](std::uint64_t ns) {
    return value.set(abi::Timeval{static_cast<std::int64_t>(ns / ns_per_second),
                                  static_cast<std::int64_t>(ns % ns_per_second / 1000)});
  };
  switch (name) {
    case abi::so_linger:
      return value.set(linger);
    case abi::so_rcvtimeo:
      return time(receive_timeout_ns);
    case abi::so_sndtimeo:
      return time(send_timeout_ns);
    case abi::so_sndbuf:
      return value.set_number(send_buffer);
    case abi::so_rcvbuf:
      return value.set_number(receive_buffer);
    case abi::so_priority:
      return value.set_number(priority);
    case abi::so_rcvlowat:
      return value.set_number(receive_low_water);
    case abi::so_sndlowat:
      return value.set_number(1);
    case abi::so_busy_poll:
    case abi::so_incoming_cpu:
      return value.set_number(0);
    default:
      return Errno::noprotoopt;
  }
}

}  // namespace guest
