// Carried: a connection whose other end is outside: two flows, as between two sockets of the guest,
// of which the socket device takes the bytes of one and fills the other, straight from and into
// their rings. It lives until the device is done with its memory, whoever else has gone before.
#pragma once

#include "guest/net/flow.h"
#include "guest/net/inet/endpoint.h"
#include "guest/net/outside/device.h"

namespace guest {

vmi::HostEndpoint host_endpoint(const Endpoint& endpoint);
Endpoint endpoint_of(const vmi::HostEndpoint& endpoint);

class Carried final : public DeviceUser, public Counted, public Allocated<HeapKind::file> {
 public:
  /// Who waits for it to be connected. Told once.
  struct Opener {
    virtual void opened(Errno error, const Endpoint& local, const Endpoint& peer) = 0;

   protected:
    ~Opener() = default;
  };

  /// Flows of that size. ENFILE, ENOMEM.
  static Result<Ref<Carried>> make(std::uint32_t flow_limit);
  Carried(Ref<Flow> to_host, Ref<Flow> from_host);
  ~Carried();

  void connect(const Endpoint& peer, Opener& opener);
  /// By who connects to what the listener of that number publishes.
  void accept(std::uint16_t listener, Opener& opener);
  /// Nobody wants it any more before it was connected.
  void abandon();
  [[nodiscard]] bool unsent() const { return state_ == State::open && to_host->used() > 0; }
  /// What all of them have sent so far.
  static std::uint64_t progress;
  static bool any_unsent();

  void answered(const vmi::SocketAnswer& answer) override;
  void look_again() override;

  const Ref<Flow> to_host, from_host;

 private:
  enum class State : std::uint8_t { fresh, connecting, open, broken, closing, closed };
  void begin(vmi::SocketOperation how, Opener& opener);
  void opened();
  void send_more();
  void receive_more();
  void end_sending();
  /// The host's end is no more.
  void break_off(Errno error);
  void cannot_send(Errno error);
  void close(bool reset);
  bool request(vmi::SocketOperation operation, std::uint32_t count = 0,
               const ByteRing::Piece* pieces = nullptr);
  static void flow_changed(Listener& listener, Events happened);
  static void patience_is_over(Timer& timer);

  ListNode all_node_;
  Listener sender_, receiver_;
  Timer patience_;  // with a peer that takes nothing of what a closed socket has left
  Opener* opener_ = nullptr;
  Ref<Carried> self_;  // while the device may write to its memory
  vmi::HostEndpoint peer_ = {};
  vmi::SocketOperation how_ = vmi::socket_connect;
  std::uint16_t number_ = 0, listener_ = 0;
  /// How much it asks the host for: more where more comes, as what is asked for takes memory.
  std::uint32_t wanted_ = 4096;
  static constexpr std::uint32_t most_wanted = ByteRing::capacity;
  State state_ = State::fresh;
  bool asked_ = false, sending_ = false, receiving_ = false, ended_ = false, end_sent_ = false,
       reset_ = false, looking_ = false;

  using All = List<Carried, &Carried::all_node_>;
  static All& all();
};

}  // namespace guest
