// See published.h. One connection at a time is asked of the host, and none while the backlog that
// it would come to is full: then they wait in the host's.
#include "guest/net/outside/published.h"

#include "guest/base/log.h"
#include "guest/net/inet/tcp.h"
#include "guest/platform.h"

namespace guest {
namespace {

class PublishedPort final : public DeviceUser,
                            public Allocated<HeapKind::file>,
                            private Carried::Opener {
 public:
  PublishedPort() : room_(has_room, this) {}

  void begin(std::uint16_t number, int backlog);
  void end();
  void answered(const vmi::SocketAnswer& answer) override;
  void look_again() override;

 private:
  void opened(Errno error, const Endpoint& local, const Endpoint& peer) override;
  bool is_full();
  void ask_for_next();
  static void has_room(Listener& listener, Events happened);
  [[nodiscard]] std::uint16_t port() const { return rings().sockets.published[number_]; }

  std::uint16_t number_ = 0;
  std::uint32_t listeners_ = 0, backlog_ = 0;
  bool host_listens_ = false;
  Ref<Carried> next_;  // for who connects next
  Listener room_;
  Ref<Backlog> full_;
};

void PublishedPort::begin(std::uint16_t number, int backlog) {
  number_ = number;
  backlog_ = static_cast<std::uint32_t>(backlog < 0 ? 0 : backlog);
  socket_device.listen_as(number, *this);
  if (++listeners_ == 1) look_again();
}

void PublishedPort::end() {
  if (listeners_ && --listeners_ == 0) look_again();
}

void PublishedPort::look_again() {
  const bool wanted = listeners_ > 0;
  if (wanted != host_listens_) {
    vmi::SocketRequest request = {};
    request.operation = wanted ? vmi::socket_listen : vmi::socket_unlisten;
    request.end = number_;
    request.count = backlog_;
    if (!socket_device.request(request, *this)) return;
    host_listens_ = wanted;
  }
  if (host_listens_ && !next_ && !is_full()) ask_for_next();
}

void PublishedPort::ask_for_next() {
  auto made = Carried::make(SocketOptions::usual_buffer);
  if (!made.ok()) return socket_device.wait(*this);
  next_ = made.release();
  next_->accept(number_, *this);
}

bool PublishedPort::is_full() {
  if (full_ && full_->open() && full_->full()) return true;
  WaitQueue::remove(room_);
  full_.reset();
  return false;
}

// In the midst of an accept, or of the backlog's end.
void PublishedPort::has_room(Listener& listener, Events) {
  auto& self = *static_cast<PublishedPort*>(listener.owner);
  const Ref<Backlog> kept = self.full_;  // its queue is being told
  self.look_again();
}

void PublishedPort::answered(const vmi::SocketAnswer& answer) {
  if (answer.operation != vmi::socket_listen || answer.result >= 0) return;
  log("typetwo guest: the host does not listen for port %u (error %ld)\n", unsigned{port()},
      static_cast<long>(-answer.result));
}

void PublishedPort::opened(Errno error, const Endpoint& local, const Endpoint& peer) {
  const Ref<Carried> carried = std::move(next_);
  if (error == Errno::ok) {
    Ref<Backlog> backlog = TcpSocket::arrive(*carried, peer, {local.ip, port()});
    if (!backlog) {
      carried->from_host->refuse();
    } else if (backlog->full()) {
      full_ = std::move(backlog);
      full_->departed.add(room_);
    }
  }
  // After an error that stays the device would answer at once, for ever.
  if (error == Errno::ok || error == Errno::canceled) look_again();
}

/// Made when somebody first listens there.
constinit PublishedPort* published_ports[vmi::most_published];

/// Its number among those that are published.
std::uint16_t number_of(std::uint16_t port) {
  std::uint16_t number = 0;
  while (number < vmi::most_published && rings().sockets.published[number] != port) ++number;
  return number;
}

}  // namespace

void begin_to_publish(std::uint16_t port, int backlog) {
  if (!socket_device.is_there()) return;
  const std::uint16_t number = number_of(port);
  if (number == vmi::most_published) return;
  PublishedPort*& published = published_ports[number];
  if (!published) published = new (std::nothrow) PublishedPort;
  if (published) published->begin(number, backlog);
}

void end_to_publish(std::uint16_t port) {
  if (!socket_device.is_there()) return;
  const std::uint16_t number = number_of(port);
  if (number < vmi::most_published && published_ports[number]) published_ports[number]->end();
}

bool is_outside(const Endpoint& target) {
  if (!socket_device.is_there()) return false;
  if (!target.ip.is_loopback()) return true;
  for (const std::uint16_t port : rings().sockets.of_host)
    if (port == target.port && port) return true;
  return false;
}

}  // namespace guest
