// See families.h. A new family is files of its own and its lines here.
#include "guest/net/families.h"

#include "guest/net/inet/tcp.h"
#include "guest/net/inet/udp.h"
#include "guest/net/netlink/netlink.h"
#include "guest/net/unix/unix_socket.h"

namespace guest {
namespace {

struct Family {
  int family, type;
  int protocol;  // that it has, also where 0 is asked for
  Result<Ref<Socket>> (*make)(SocketKind kind, std::uint32_t flags);
};

constexpr Family families[] = {
    {abi::af_unix, abi::sock_stream, 0, make_unix_socket},
    {abi::af_unix, abi::sock_dgram, 0, make_unix_socket},
    {abi::af_unix, abi::sock_seqpacket, 0, make_unix_socket},
    {abi::af_inet, abi::sock_stream, abi::ipproto_tcp, make_tcp_socket},
    {abi::af_inet, abi::sock_dgram, abi::ipproto_udp, make_udp_socket},
    {abi::af_inet6, abi::sock_stream, abi::ipproto_tcp, make_tcp_socket},
    {abi::af_inet6, abi::sock_dgram, abi::ipproto_udp, make_udp_socket},
    {abi::af_netlink, abi::sock_raw, 0, make_netlink_socket},
    {abi::af_netlink, abi::sock_dgram, 0, make_netlink_socket},
    {abi::af_netlink, abi::sock_raw, abi::netlink_sock_diag, make_netlink_socket},
    {abi::af_netlink, abi::sock_dgram, abi::netlink_sock_diag, make_netlink_socket},
};

}  // namespace

Result<Ref<Socket>> make_socket(int family, int type, int protocol, std::uint32_t flags) {
  Errno error = Errno::afnosupport;
  for (const Family& known : families) {
    if (known.family != family) continue;
    if (error == Errno::afnosupport) error = Errno::socktnosupport;
    if (known.type != type) continue;
    error = Errno::protonosupport;
    const bool by_family = family == abi::af_unix && protocol == family;
    if (protocol != 0 && protocol != known.protocol && !by_family) continue;
    TRY(SocketCount::check(1));
    return known.make({family, type, known.protocol}, flags);
  }
  return error;
}

}  // namespace guest
