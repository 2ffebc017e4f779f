// See carrier.h. Nothing here blocks.
#include "monitor/outside/carrier.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "monitor/outside/host_address.h"
#include "monitor/tool/error.h"
#include "monitor/tool/message.h"

namespace monitor {
namespace {

constexpr std::size_t most_answers_waiting = 2 * vmi::socket_ends;

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

bool is_listener(std::uint16_t end) {
  return end < vmi::most_published;
}

}  // namespace

Carrier::Carrier(const OutsideRules& rules) : rules_(rules) {
  events_ = epoll_create1(EPOLL_CLOEXEC);
  if (events_ < 0) throw_errno("cannot watch host sockets (epoll)");
  try {
    for (std::size_t i = 0; i < rules_.publish.size(); ++i) {
      open_published(rules_.publish[i], ends_[i]);
      if (errno = watch(ends_[i].fd, static_cast<std::uint32_t>(i)); errno != 0)
        throw_errno("cannot watch a host socket");
    }
  } catch (...) {
    for (End& end : ends_)
      if (end.fd >= 0) ::close(end.fd);
    ::close(events_);
    throw;
  }
}

Carrier::~Carrier() {
  for (End& end : ends_)
    if (end.fd >= 0) ::close(end.fd);
  ::close(events_);
}

// Who listens for a moment knows that nobody else does. Afterwards the port is still ours, and
// whoever connects is refused, until somebody in the guest listens.
void Carrier::open_published(const Publication& published, End& end) {
  const sockaddr_storage address = address_of(published.host);
  end.fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (end.fd < 0) throw_errno(fmt::format("--publish {}: no socket", published.words));
  set(end.fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.ss_family == AF_INET6) set(end.fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (bind(end.fd, reinterpret_cast<const sockaddr*>(&address), bytes_of(address)) != 0 ||
      ::listen(end.fd, 1) != 0)
    throw_errno(
        fmt::format("--publish {}: cannot have {}", published.words, text_of(published.host)),
        "choose another HOSTPORT, or end what has it");
  shutdown(end.fd, SHUT_RD);
}

int Carrier::watch(int fd, std::uint32_t end) const {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = end;
  return epoll_ctl(events_, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void Carrier::begin(vmi::SocketRings& rings, Memory memory) {
  rings_ = &rings;
  memory_ = std::move(memory);
  for (std::size_t i = 0; i < rules_.publish.size(); ++i)
    rings.published[i] = rules_.publish[i].guest_port;
  std::size_t ports = 0;
  for (const std::uint16_t port : rules_.host_ports())
    if (ports < std::size(rings.of_host)) rings.of_host[ports++] = port;
}

// -- The rings. The guest may write to both at any time.

void Carrier::take_requests() {
  auto& ring = rings_->requests;
  std::atomic_ref<std::uint32_t> head(ring.head), tail(ring.tail);
  for (std::uint32_t taken = 0; taken < ring.capacity; ++taken) {
    const std::uint32_t filled = head.load() - tail.load();
    if (filled == 0 || filled > ring.capacity) return;
    if (answers_.size() >= most_answers_waiting) return;
    drained_a_full_ring_ |= filled == ring.capacity;
    vmi::SocketRequest request;
    std::memcpy(&request, &ring.entries[tail.load() % ring.capacity], sizeof request);
    tail.fetch_add(1);
    ++requests_;
    carry_out(request);
  }
}

bool Carrier::give_answers() {
  auto& ring = rings_->answers;
  std::atomic_ref<std::uint32_t> head(ring.head), tail(ring.tail);
  bool tell = std::exchange(drained_a_full_ring_, false);
  while (!answers_.empty() && head.load() - tail.load() < ring.capacity) {
    std::memcpy(&ring.entries[head.load() % ring.capacity], &answers_.front(),
                sizeof(vmi::SocketAnswer));
    head.fetch_add(1);
    answers_.pop_front();
    tell = true;
  }
  return tell;
}

void Carrier::answer(vmi::SocketOperation operation, std::uint16_t end, std::int64_t result) {
  vmi::SocketAnswer made{};
  made.operation = operation;
  made.end = end;
  made.result = result;
  answers_.push_back(made);
}

/// Of a new connection.
void Carrier::answer_with_names(vmi::SocketOperation operation, std::uint16_t end) {
  answer(operation, end, 0);
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  if (getpeername(ends_[end].fd, reinterpret_cast<sockaddr*>(&address), &bytes) == 0)
    answers_.back().peer = endpoint_of(address);
  bytes = sizeof address;
  if (getsockname(ends_[end].fd, reinterpret_cast<sockaddr*>(&address), &bytes) == 0)
    answers_.back().local = endpoint_of(address);
}

// -- Requests.

void Carrier::carry_out(const vmi::SocketRequest& request) {
  if (request.end >= ends_.size()) return answer(request.operation, request.end, -EBADF);
  const bool for_listener =
      request.operation == vmi::socket_listen || request.operation == vmi::socket_unlisten;
  if (is_listener(request.end) != for_listener)
    return answer(request.operation, request.end, -EINVAL);
  switch (request.operation) {
    case vmi::socket_listen:
      return listen(request.end, request.count);
    case vmi::socket_unlisten:
      return unlisten(request.end);
    case vmi::socket_accept:
      return begin_to_accept(request);
    case vmi::socket_connect:
      return connect(request);
    case vmi::socket_send:
    case vmi::socket_receive:
      return begin_transfer(request);
    case vmi::socket_end_sending:
      if (ends_[request.end].fd >= 0) shutdown(ends_[request.end].fd, SHUT_WR);
      return;
    case vmi::socket_close:
    case vmi::socket_reset:
      return close_end(request.end, request.operation == vmi::socket_reset);
  }
  answer(request.operation, request.end, -EINVAL);
}

void Carrier::listen(std::uint16_t number, std::uint32_t backlog) {
  const End& end = ends_[number];
  constexpr std::uint32_t largest = 4096;
  const int error = end.fd < 0                                                            ? EBADF
                    : ::listen(end.fd, static_cast<int>(std::min(backlog, largest))) == 0 ? 0
                                                                                          : errno;
  answer(vmi::socket_listen, number, -error);
}

void Carrier::unlisten(std::uint16_t number) {
  End& end = ends_[number];
  if (end.fd >= 0) shutdown(end.fd, SHUT_RD);
  if (std::exchange(end.accepting, false)) answer(vmi::socket_accept, end.accepts_into, -ECANCELED);
  answer(vmi::socket_unlisten, number, 0);
}

void Carrier::begin_to_accept(const vmi::SocketRequest& request) {
  if (!is_listener(request.other) || ends_[request.other].fd < 0)
    return answer(vmi::socket_accept, request.end, -EBADF);
  End& listener = ends_[request.other];
  if (listener.accepting || ends_[request.end].fd >= 0)
    return answer(vmi::socket_accept, request.end, -EBUSY);
  listener.accepting = true;
  listener.accepts_into = request.end;
  accept(request.other);
}

void Carrier::accept(std::uint16_t number) {
  End& listener = ends_[number];
  if (!listener.accepting) return;
  const std::uint16_t into = listener.accepts_into;
  int fd = -1;
  do fd = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0 && (errno == EAGAIN || errno == EINVAL)) return;  // none is there, or nobody listens
  if (fd < 0) return accept_later(number, errno);
  if (ends_[into].fd >= 0) {  // taken meanwhile
    ::close(fd);
    listener.accepting = false;
    return answer(vmi::socket_accept, into, -EBUSY);
  }
  if (const int error = adopt(into, fd)) return accept_later(number, error);
  listener.accepting = said_what_lacks_ = false;
  answer_with_names(vmi::socket_accept, into);
}

// What the host lacks it may have again without any event of ours.
void Carrier::accept_later(std::uint16_t number, int error) {
  must_retry_ = true;
  if (!std::exchange(said_what_lacks_, true) && lines_said_++ < 16)
    say("typetwo: a connection to published port {} waits: {}; raise the limit (ulimit -n)\n",
        rules_.publish[number].words, std::strerror(error));
}

void Carrier::retry_accepts() {
  if (!std::exchange(must_retry_, false)) return;
  for (std::size_t i = 0; i < rules_.publish.size(); ++i) accept(static_cast<std::uint16_t>(i));
}

/// A new connection's host socket, which is the end's from now on; or an errno, and it is closed.
int Carrier::adopt(std::uint16_t number, int fd) {
  // What the guest has sent by the time of a doorbell goes at once: it gathers by itself.
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (const int error = watch(fd, number)) {
    ::close(fd);
    return error;
  }
  ends_[number] = End{};
  ends_[number].fd = fd;
  return 0;
}

void Carrier::refuse_connection(const vmi::HostEndpoint& peer) {
  constexpr std::uint64_t most_lines = 16;
  if (lines_said_++ >= most_lines) return;
  std::string allowed;
  for (const Permission& one : rules_.connect) allowed += (allowed.empty() ? "" : ", ") + one.words;
  say("typetwo: the guest may not connect to {0}: --connect allows {1}; add --connect {0}\n",
      text_of(peer), allowed.empty() ? "nothing" : allowed);
}

void Carrier::connect(const vmi::SocketRequest& request) {
  if (ends_[request.end].fd >= 0) return answer(request.operation, request.end, -EBUSY);
  if (!rules_.allow(request.peer)) {
    refuse_connection(request.peer);
    return answer(request.operation, request.end, rules_.connect.empty() ? -ENETUNREACH : -EACCES);
  }
  const sockaddr_storage address = address_of(request.peer);
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return answer(request.operation, request.end, errno == EMFILE ? -ENFILE : -errno);
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), bytes_of(address));
  if (result != 0 && errno != EINPROGRESS) {
    const int error = errno;
    ::close(fd);
    return answer(request.operation, request.end, -error);
  }
  if (adopt(request.end, fd) != 0) return answer(request.operation, request.end, -ENFILE);
  ends_[request.end].connecting = true;
  if (result == 0) finish_connect(request.end);
}

void Carrier::finish_connect(std::uint16_t number) {
  End& end = ends_[number];
  int error = 0;
  socklen_t bytes = sizeof error;
  getsockopt(end.fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
  sockaddr_storage peer{};
  bytes = sizeof peer;
  if (error == 0 && getpeername(end.fd, reinterpret_cast<sockaddr*>(&peer), &bytes) != 0) return;
  end.connecting = false;
  if (error == 0) return answer_with_names(vmi::socket_connect, number);
  ::close(end.fd);
  end = End{};
  answer(vmi::socket_connect, number, -error);
  retry_accepts();
}

void Carrier::close_end(std::uint16_t number, bool reset) {
  End& end = ends_[number];
  if (end.fd >= 0) {
    if (reset) {
      const linger at_once{1, 0};
      setsockopt(end.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    ::close(end.fd);
  }
  end = End{};
  answer(reset ? vmi::socket_reset : vmi::socket_close, number, 0);
  retry_accepts();
}

// -- Bytes.

bool Carrier::take_pieces(const vmi::SocketRequest& request, Transfer& transfer) const {
  std::uint64_t bytes = 0;
  if (request.count == 0 || request.count > vmi::most_pieces) return false;
  for (std::uint32_t i = 0; i < request.count; ++i) {
    const vmi::MemoryPiece& piece = request.pieces[i];
    std::byte* at = memory_(piece.at, piece.bytes);
    if (at == nullptr) return false;
    transfer.pieces[i] = {at, piece.bytes};
    bytes += piece.bytes;
  }
  transfer.count = request.count;
  return bytes != 0;
}

void Carrier::begin_transfer(const vmi::SocketRequest& request) {
  End& end = ends_[request.end];
  if (end.fd < 0 || end.connecting) return answer(request.operation, request.end, -ENOTCONN);
  Transfer& wanted = request.operation == vmi::socket_send ? end.send : end.receive;
  if (wanted.pending) return answer(request.operation, request.end, -EBUSY);
  if (!take_pieces(request, wanted)) return answer(request.operation, request.end, -EFAULT);
  wanted.pending = true;
  transfer(request.end, request.operation);
}

void Carrier::transfer(std::uint16_t number, vmi::SocketOperation operation) {
  End& end = ends_[number];
  const bool sends = operation == vmi::socket_send;
  Transfer& wanted = sends ? end.send : end.receive;
  if (!wanted.pending) return;
  msghdr message{};
  message.msg_iov = wanted.pieces;
  message.msg_iovlen = wanted.count;
  ssize_t moved = 0;
  do moved = sends ? sendmsg(end.fd, &message, MSG_NOSIGNAL) : recvmsg(end.fd, &message, 0);
  while (moved < 0 && errno == EINTR);
  if (moved < 0 && errno == EAGAIN) return;
  const std::int64_t result = moved < 0 ? -errno : moved;
  wanted.pending = false;
  answer(operation, number, result);
}

void Carrier::happened(std::uint32_t number) {
  if (number >= ends_.size() || ends_[number].fd < 0) return;
  const auto end = static_cast<std::uint16_t>(number);
  if (is_listener(end)) return accept(end);
  if (ends_[end].connecting) {
    finish_connect(end);
    return;
  }
  // In this order: what came before a reset is not lost to a send that hears of it.
  transfer(end, vmi::socket_receive);
  transfer(end, vmi::socket_send);
}

}  // namespace monitor
