// See ports.h. Nothing here sleeps.
#include "guest/net/inet/ports.h"

#include "guest/base/clock.h"
#include "guest/proc/thread.h"

namespace guest {

constinit Ports tcp_ports(true), udp_ports(false);

namespace {

constexpr std::uint16_t first_unprivileged = 1024;
constexpr std::uint64_t time_wait_ns = 60 * ns_per_second;

/// Could one datagram or connection be for both?
bool overlap(const IpAddress& a, bool a_v6_only, const IpAddress& b, bool b_v6_only) {
  const bool a_any = a.is_any(), b_any = b.is_any();
  if (a.is_v4() == b.is_v4()) return a_any || b_any || a == b;
  // The IPv6 one reaches IPv4 only from its "any".
  return a.is_v4() ? b_any && !b_v6_only : a_any && !a_v6_only;
}

}  // namespace

bool InetEnd::receives(const IpAddress& target) const {
  if (!local.ip.is_any()) return local.ip == target;
  if (local.ip.is_v4() == target.is_v4()) return true;
  return !local.ip.is_v4() && !v6_only;
}

bool Ports::is_waiting(const Past& past) {
  return past.until_ns && monotonic_ns() < past.until_ns;
}

bool Ports::conflict(const InetEnd& end, const Endpoint& wanted, bool to_listen) {
  const SocketOptions& own = end.socket.options;
  for (InetEnd& other : bucket(wanted.port)) {
    if (&other == &end || other.local.port != wanted.port) continue;
    if (!overlap(wanted.ip, end.v6_only, other.local.ip, other.v6_only)) continue;
    const SocketOptions& its = other.socket.options;
    const bool both_reuse = own.reuse_address && its.reuse_address;
    if (both_reuse && !(streams_ && other.listening)) continue;
    if (own.reuse_port && its.reuse_port && other.bound_by == end.bound_by) continue;
    if (to_listen && !other.listening) continue;
    return true;
  }
  if (!streams_ || to_listen) return false;
  for (const Past& past : past_)
    if (past.local.port == wanted.port && is_waiting(past) && !(own.reuse_address && past.reuse) &&
        overlap(wanted.ip, end.v6_only, past.local.ip, past.v6_only))
      return true;
  return false;
}

Result<std::uint16_t> Ports::free_port(const InetEnd& end, const IpAddress& address) {
  constexpr std::uint32_t count = last_free - first_free + 1;
  if (last_given_ == 0)
    last_given_ = static_cast<std::uint16_t>(first_free + realtime_ns() / 1000 % count);
  for (std::uint32_t tries = 0; tries < count; ++tries) {
    last_given_ = last_given_ == last_free ? first_free : std::uint16_t(last_given_ + 1);
    bool taken = conflict(end, {address, last_given_}, false);
    for (InetEnd& other : bucket(last_given_)) taken |= other.local.port == last_given_;
    if (!taken) return last_given_;
  }
  return Errno::addrinuse;
}

Result<> Ports::bind(InetEnd& end, const Endpoint& wanted) {
  const std::uint32_t user = current_thread().credentials.euid;
  end.bound_by = user;
  Endpoint got = wanted;
  if (got.port == 0)
    got.port = TRY(free_port(end, wanted.ip));
  else if (got.port < first_unprivileged && user != 0)
    return Errno::acces;
  else if (conflict(end, wanted, false))
    return Errno::addrinuse;
  leave(end);
  end.local = got;
  bucket(got.port).push_back(end);
  return {};
}

void Ports::leave(InetEnd& end) {
  end.port_node.unlink();
}

Result<> Ports::check_listen(const InetEnd& end) const {
  return const_cast<Ports*>(this)->conflict(end, end.local, true) ? Result<>(Errno::addrinuse)
                                                                  : Result<>();
}

void Ports::linger(const InetEnd& end) {
  past_[next_past_] = {end.local, end.remote, monotonic_ns() + time_wait_ns,
                       end.socket.options.reuse_address, end.v6_only};
  next_past_ = (next_past_ + 1) % most_past;
}

// The one whose address says most. Of equals (SO_REUSEPORT) each in its turn: it goes to the end.
InetEnd* Ports::find_listener(const Endpoint& target) {
  InetEnd* best = nullptr;
  int best_score = -1;
  for (InetEnd& end : bucket(target.port)) {
    if (!end.listening || end.local.port != target.port || !end.receives(target.ip)) continue;
    const int score = 2 * !end.local.ip.is_any() + (end.local.ip.is_v4() == target.ip.is_v4());
    if (score <= best_score) continue;
    best = &end;
    best_score = score;
  }
  if (best && best->socket.options.reuse_port) {
    leave(*best);
    join(*best);
  }
  return best;
}

InetEnd* Ports::find_receiver(const Endpoint& target, const Endpoint& from) {
  InetEnd* best = nullptr;
  int best_score = -1;
  for (InetEnd& end : bucket(target.port)) {
    if (end.local.port != target.port || !end.receives(target.ip)) continue;
    if (end.remote.port && end.remote != from) continue;
    const int score = 4 * (end.remote.port != 0) + 2 * !end.local.ip.is_any() +
                      (end.local.ip.is_v4() == target.ip.is_v4());
    if (score < best_score) continue;
    best = &end;
    best_score = score;
  }
  return best;
}

}  // namespace guest
