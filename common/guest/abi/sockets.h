// The socket interface of the ABI: families, types, addresses, messages, options, as x86-64 Linux
// lays them out and numbers them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace guest::abi {

// -- socket
inline constexpr int af_unspec = 0, af_unix = 1, af_inet = 2, af_inet6 = 10, af_netlink = 16;
enum SocketType : int { sock_stream = 1, sock_dgram = 2, sock_raw = 3, sock_seqpacket = 5 };
inline constexpr std::uint32_t sock_type_mask = 0xf;  // the rest is O_CLOEXEC and O_NONBLOCK
enum InternetProtocol : int {
  ipproto_ip = 0,
  ipproto_tcp = 6,
  ipproto_udp = 17,
  ipproto_ipv6 = 41
};

// -- Addresses. Their bytes, in the network's order, stay as they come.
inline constexpr std::size_t address_bytes_max = 128;  // struct sockaddr_storage
/// struct sockaddr_in
struct InternetAddress {
  std::uint16_t family, port;
  std::uint8_t address[4], zero[8];
};
/// struct sockaddr_in6
struct InternetAddress6 {
  std::uint16_t family, port;
  std::uint32_t flow;
  std::uint8_t address[16];
  std::uint32_t scope;
};
/// struct in_pktinfo, in6_pktinfo
struct PacketInformation {
  std::int32_t interface;
  std::uint8_t local[4], target[4];
};
struct PacketInformation6 {
  std::uint8_t target[16];
  std::uint32_t interface;
};
inline constexpr std::size_t unix_path_max = 108, unix_path_offset = 2;
static_assert(sizeof(InternetAddress) == 16 && sizeof(InternetAddress6) == 28);

// -- send and recv
inline constexpr std::uint32_t msg_oob = 1, msg_peek = 2, msg_dontroute = 4, msg_ctrunc = 8,
                               msg_trunc = 0x20, msg_dontwait = 0x40, msg_eor = 0x80,
                               msg_waitall = 0x100, msg_confirm = 0x800, msg_errqueue = 0x2000,
                               msg_nosignal = 0x4000, msg_more = 0x8000, msg_waitforone = 0x10000,
                               msg_fastopen = 0x20000000, msg_cmsg_cloexec = 0x40000000;

/// struct msghdr
struct MessageHeader {
  std::uint64_t name;
  std::uint32_t name_bytes, padding1;
  std::uint64_t vector, parts, control, control_bytes;
  std::uint32_t flags, padding2;
};
static_assert(sizeof(MessageHeader) == 56);
/// struct mmsghdr
struct MultipleMessage {
  MessageHeader header;
  std::uint32_t bytes, padding;
};
static_assert(sizeof(MultipleMessage) == 64);

/// struct cmsghdr
struct ControlHeader {
  std::uint64_t bytes;
  std::int32_t level, type;
};
static_assert(sizeof(ControlHeader) == 16);
constexpr std::uint64_t control_align(std::uint64_t bytes) {
  return (bytes + 7) & ~std::uint64_t{7};
}
enum ControlType : std::int32_t { scm_rights = 1, scm_credentials = 2 };
inline constexpr std::size_t scm_max_files = 253;
/// struct ucred
struct PeerCredentials {
  std::int32_t pid;
  std::uint32_t uid, gid;
};

// -- shutdown
inline constexpr int shut_rd = 0, shut_wr = 1, shut_rdwr = 2;

// -- Options
inline constexpr int sol_socket = 1, sol_netlink = 270;
enum SocketOption : int {
  so_debug = 1,
  so_reuseaddr = 2,
  so_type = 3,
  so_error = 4,
  so_dontroute = 5,
  so_broadcast = 6,
  so_sndbuf = 7,
  so_rcvbuf = 8,
  so_keepalive = 9,
  so_oobinline = 10,
  so_priority = 12,
  so_linger = 13,
  so_reuseport = 15,
  so_passcred = 16,
  so_peercred = 17,
  so_rcvlowat = 18,
  so_sndlowat = 19,
  so_rcvtimeo = 20,
  so_sndtimeo = 21,
  so_attach_filter = 26,
  so_acceptconn = 30,
  so_sndbufforce = 32,
  so_rcvbufforce = 33,
  so_protocol = 38,
  so_domain = 39,
  so_busy_poll = 46,
  so_incoming_cpu = 49,
};
/// struct linger
struct Linger {
  std::int32_t on, seconds;
};

// -- ioctl
inline constexpr std::uint32_t siocinq = 0x541b, siocoutq = 0x5411, siocatmark = 0x8905,
                               fioasync = 0x5452, fiosetown = 0x8901, siocspgrp = 0x8902,
                               fiogetown = 0x8903, siocgpgrp = 0x8904;

}  // namespace guest::abi
