// InetEnd: what TCP and UDP sockets do alike with addresses and options. See ports.h.
#include "guest/net/inet/ports.h"
#include "guest/net/interface.h"

namespace guest {
namespace {

constexpr int v6_only_option = 26, ip_mtu_option = 14, ip6_mtu_option = 24, ip_options_option = 4;

}  // namespace

Result<> InetEnd::bind_to(Ports& ports, const SocketAddress& address) {
  const Endpoint wanted = TRY(endpoint_of(address, socket.kind.family));
  if (wanted.ip.is_v4() && socket.kind.family == abi::af_inet6 && v6_only) return Errno::inval;
  if (!options.get(abi::ipproto_ip, 15).value()) TRY(check_local(wanted.ip));
  if (local.port) return Errno::inval;
  TRY(ports.bind(*this, wanted));
  address_chosen = !wanted.ip.is_any();
  port_chosen = wanted.port != 0;
  return {};
}

Result<> InetEnd::bind_to_any(Ports& ports) {
  if (local.port) return {};
  return ports.bind(*this, {local.ip, 0});
}

Result<Route> InetEnd::route_from_here(const IpAddress& target) const {
  if (socket.kind.family == abi::af_inet6 && v6_only && target.is_v4()) return Errno::netunreach;
  Route route = TRY(route_to(target));
  if (!local.ip.is_any()) {
    // From a chosen address of the other family there is no way.
    if (local.ip.is_v4() != route.target.is_v4())
      return local.ip.is_v4() ? Errno::afnosupport : Errno::netunreach;
    route.source = local.ip;
  }
  return route;
}

Result<> InetEnd::set_inet_option(int level, int name, UserAddress value, std::uint32_t bytes) {
  if (level == abi::ipproto_ipv6 && socket.kind.family == abi::af_inet) return Errno::noprotoopt;
  const std::int32_t number = TRY(InetOptions::number(level, value, bytes));
  if (level != abi::ipproto_ipv6 || name != v6_only_option) return options.set(level, name, number);
  if (local.port) return Errno::inval;
  v6_only = number != 0;
  return {};
}

Result<std::size_t> InetEnd::get_inet_option(int level, int name, OptionValue& value) const {
  const bool v6 = level == abi::ipproto_ipv6;
  if (v6 && socket.kind.family == abi::af_inet) return Errno::noprotoopt;
  if (v6 && name == v6_only_option) return value.set_number(v6_only);
  if (level == abi::ipproto_ip && name == ip_options_option) return std::size_t{0};
  if ((v6 && name == ip6_mtu_option) || (level == abi::ipproto_ip && name == ip_mtu_option))
    return remote.port ? Result<std::size_t>(value.set_number(loopback_mtu)) : Errno::notconn;
  return value.set_number(TRY(options.get(level, name)));
}

}  // namespace guest
