// Carrier: carries out a guest's socket requests on host sockets (vmi/sockets.h): the other side of
// the socket device. Called by one thread alone (outside.h). It believes nothing that lies in guest
// memory: each number, index and length of a request is copied first and checked then; what the
// guest can have is bounded here, and what it may do beyond is refused here: it listens only where
// it was told to, and connects only where it may.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "monitor/outside/rules.h"

namespace monitor {

class Carrier {
 public:
  /// Where [at, at + bytes) of guest memory is here; nullptr: there is no such memory.
  using Memory = std::function<std::byte*(std::uint64_t at, std::uint64_t bytes)>;

  /// Has the published ports from now on, but does not listen. Throws HostError: one is taken.
  explicit Carrier(const OutsideRules&);
  /// Closes all host sockets.
  ~Carrier();
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  void begin(vmi::SocketRings&, Memory);
  /// One epoll for all: each host socket is in it from its first to its last day, edge-triggered,
  /// with its end's number; others may be added under `other` or above.
  [[nodiscard]] int events() const { return events_; }
  static constexpr std::uint32_t other = vmi::socket_ends;
  void happened(std::uint32_t end);
  /// Carries out what is in the ring, as far as there is room to answer.
  void take_requests();
  /// True: the guest must be told.
  bool give_answers();
  /// The host lacked what an accept needs; nothing may happen when it has it again.
  [[nodiscard]] bool must_retry() const { return must_retry_; }
  void retry_accepts();
  [[nodiscard]] std::uint64_t requests() const { return requests_; }

 private:
  struct Transfer {
    bool pending = false;
    iovec pieces[vmi::most_pieces] = {};
    std::uint32_t count = 0;
  };
  struct End {
    int fd = -1;
    bool connecting = false, accepting = false;
    std::uint16_t accepts_into = 0;
    Transfer send, receive;
  };

  void open_published(const Publication&, End&);
  [[nodiscard]] int watch(int fd, std::uint32_t end) const;
  void carry_out(const vmi::SocketRequest&);
  void listen(std::uint16_t number, std::uint32_t backlog);
  void unlisten(std::uint16_t number);
  void begin_to_accept(const vmi::SocketRequest&);
  void accept(std::uint16_t number);
  void accept_later(std::uint16_t number, int error);
  void connect(const vmi::SocketRequest&);
  void finish_connect(std::uint16_t number);
  void begin_transfer(const vmi::SocketRequest&);
  void transfer(std::uint16_t number, vmi::SocketOperation);
  bool take_pieces(const vmi::SocketRequest&, Transfer&) const;
  void close_end(std::uint16_t number, bool reset);
  [[nodiscard]] int adopt(std::uint16_t number, int fd);
  void answer(vmi::SocketOperation, std::uint16_t end, std::int64_t result);
  void answer_with_names(vmi::SocketOperation, std::uint16_t end);
  void refuse_connection(const vmi::HostEndpoint&);

  const OutsideRules rules_;
  vmi::SocketRings* rings_ = nullptr;
  Memory memory_;
  int events_ = -1;
  std::vector<End> ends_{vmi::socket_ends};
  std::deque<vmi::SocketAnswer> answers_;  // not in the ring yet
  bool drained_a_full_ring_ = false;
  bool must_retry_ = false, said_what_lacks_ = false;
  std::uint64_t requests_ = 0, lines_said_ = 0;
};

}  // namespace monitor
