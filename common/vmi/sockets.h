// The socket device: streams that are carried between the guest and sockets of the host. The guest
// kernel numbers its ends itself, puts requests into one ring and rings the doorbell; answers come
// in the other, in any order, with irq_socket. Whoever carries out the requests (on the host:
// monitor/outside/) reads and writes guest memory by itself, so what a request names must stay
// where it is until it is answered.
#pragma once

#include <atomic>
#include <cstdint>

namespace vmi {

/// Ends below most_published are listeners: one for each port of SocketRings::published. The
/// others are connections.
inline constexpr std::uint16_t most_published = 16, socket_ends = 512;

/// An IPv4 address is ::ffff:a.b.c.d.
struct HostEndpoint {
  std::uint8_t ip[16];
  std::uint16_t port;
  friend bool operator==(const HostEndpoint&, const HostEndpoint&) = default;
};

/// What may be asked of an end. Each is answered once, but for those that a close overtakes. An end
/// does one thing of a kind at a time.
enum SocketOperation : std::uint16_t {
  socket_listen = 1,   // count: backlog
  socket_unlisten,     // an accept that is under way is answered with -ECANCELED
  socket_accept,       // end: of the new connection; other: the listener
  socket_connect,      // to peer
  socket_send,         // from `count` pieces; result: bytes taken, at least one
  socket_receive,      // likewise; result 0: the peer has ended
  socket_end_sending,  // no answer
  socket_close,        // from its answer on the end is free, and its memory nobody's
  socket_reset,        // likewise, and the peer is told so
};

/// [at, at + bytes) of guest memory, as BlockRequest::memory names it.
struct MemoryPiece {
  std::uint64_t at, bytes;
};
inline constexpr std::uint32_t most_pieces = 4;

struct SocketRequest {
  SocketOperation operation;
  std::uint16_t end, other;
  HostEndpoint peer;
  std::uint32_t count;
  MemoryPiece pieces[most_pieces];
};

struct SocketAnswer {
  SocketOperation operation;
  std::uint16_t end;
  HostEndpoint peer, local;  // of accept and connect
  std::int64_t result;       // negative: host errno
};

/// Single producer, single consumer; head and tail run freely, as in ByteRing.
template <class T, std::uint32_t N>
struct EntryRing {
  static constexpr std::uint32_t capacity = N;
  static_assert((N & (N - 1)) == 0);
  std::uint32_t head;  // producer
  std::uint32_t tail;  // consumer
  T entries[N];
};

struct SocketRings {
  EntryRing<SocketRequest, 32> requests;
  EntryRing<SocketAnswer, 64> answers;
  /// Set by the device before the guest sleeps: an answer must wake it. The host's.
  std::atomic<std::uint32_t> asleep;
  /// Ports of the guest that are published, and ports of this machine's loopback that are the
  /// host's where nobody in the guest listens; 0 ends the list. Launcher, at boot.
  std::uint16_t published[most_published], of_host[most_published];
};

}  // namespace vmi
