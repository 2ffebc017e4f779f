// See inet_options.h.
#include "guest/net/inet/inet_options.h"

#include <iterator>

namespace guest {
namespace {

constexpr std::int16_t ip = abi::ipproto_ip, ip6 = abi::ipproto_ipv6, tcp = abi::ipproto_tcp;
constexpr std::int32_t any = INT32_MAX, none = INT32_MIN;

// As linux/in.h, linux/in6.h and linux/tcp.h number them.
constexpr InetOption known[] = {
    {ip, 1, 0, none, any},        // IP_TOS
    {ip, 2, 64, -1, 255},         // IP_TTL
    {ip, 8, 0, none, any},        // IP_PKTINFO
    {ip, 10, 1, 0, 5},            // IP_MTU_DISCOVER
    {ip, 11, 0, none, any},       // IP_RECVERR
    {ip, 15, 0, none, any},       // IP_FREEBIND
    {ip, 24, 0, none, any},       // IP_BIND_ADDRESS_NO_PORT
    {ip, 33, 1, -1, 255},         // IP_MULTICAST_TTL
    {ip, 34, 1, none, any},       // IP_MULTICAST_LOOP
    {ip6, 16, 64, -1, 255},       // IPV6_UNICAST_HOPS
    {ip6, 18, 1, -1, 255},        // IPV6_MULTICAST_HOPS
    {ip6, 19, 1, 0, 1},           // IPV6_MULTICAST_LOOP
    {ip6, 23, 1, 0, 5},           // IPV6_MTU_DISCOVER
    {ip6, 25, 0, none, any},      // IPV6_RECVERR
    {ip6, 49, 0, none, any},      // IPV6_RECVPKTINFO
    {ip6, 67, 0, -1, 255},        // IPV6_TCLASS
    {tcp, 1, 0, none, any},       // TCP_NODELAY
    {tcp, 2, 65483, 88, 32767},   // TCP_MAXSEG
    {tcp, 3, 0, none, any},       // TCP_CORK
    {tcp, 4, 7200, 1, 32767},     // TCP_KEEPIDLE
    {tcp, 5, 75, 1, 32767},       // TCP_KEEPINTVL
    {tcp, 6, 9, 1, 127},          // TCP_KEEPCNT
    {tcp, 7, 6, 1, 127},          // TCP_SYNCNT
    {tcp, 8, 60, none, any},      // TCP_LINGER2
    {tcp, 9, 0, none, any},       // TCP_DEFER_ACCEPT
    {tcp, 10, 65536, none, any},  // TCP_WINDOW_CLAMP
    {tcp, 12, 1, none, any},      // TCP_QUICKACK
    {tcp, 18, 0, 0, any},         // TCP_USER_TIMEOUT
    {tcp, 23, 0, 0, any},         // TCP_FASTOPEN
    {tcp, 25, -1, none, any},     // TCP_NOTSENT_LOWAT
};

/// Those that are either on or off.
constexpr bool is_flag(const InetOption& option) {
  if (option.level == tcp) return option.name == 1 || option.name == 3 || option.name == 12;
  return option.lowest == none && !(option.level == ip && option.name == 1);
}

std::size_t find(int level, int name) {
  std::size_t i = 0;
  while (i < std::size(known) && (known[i].level != level || known[i].name != name)) ++i;
  return i;
}

}  // namespace

Result<std::int32_t> InetOptions::number(int level, UserAddress value, std::uint32_t bytes) {
  if (level == ip && bytes > 0 && bytes < sizeof(std::int32_t))
    return static_cast<std::int32_t>(TRY(get_user<std::uint8_t>(value)));
  return option_number(value, bytes);
}

Result<> InetOptions::set(int level, int name, std::int32_t number) {
  static_assert(std::size(known) <= most);
  const std::size_t i = find(level, name);
  if (i == std::size(known)) return Errno::noprotoopt;
  if (number < known[i].lowest || number > known[i].highest) return Errno::inval;
  const bool to_initial = number == -1 && known[i].lowest == -1;
  values_[i] = to_initial ? known[i].initial : is_flag(known[i]) ? number != 0 : number;
  set_ |= 1ull << i;
  return {};
}

Result<std::int32_t> InetOptions::get(int level, int name) const {
  const std::size_t i = find(level, name);
  if (i == std::size(known)) return Errno::noprotoopt;
  return set_ >> i & 1 ? values_[i] : known[i].initial;
}

}  // namespace guest
