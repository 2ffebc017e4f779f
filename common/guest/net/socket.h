// Socket: an open file that talks to others like it. What all families have in common is here:
// options, time limits, who hears of what. Each kind of socket (family and type) is a class of its
// own and overrides what the calls do (syscall/socket_calls.cpp); families.cpp lists the families.
#pragma once

#include "guest/abi/file_flags.h"
#include "guest/abi/sockets.h"
#include "guest/net/address.h"
#include "guest/net/control.h"
#include "guest/net/flow.h"
#include "guest/net/options.h"
#include "guest/proc/permission.h"

namespace guest {

/// How many there are in the whole guest, those to be accepted included. ENFILE.
class SocketCount {
 public:
  static constexpr std::uint32_t most = 2000;
  static Result<> check(std::uint32_t more);
  SocketCount();
  ~SocketCount();
  SocketCount(const SocketCount&) = delete;
  SocketCount& operator=(const SocketCount&) = delete;
};

struct SocketKind {
  int family, type, protocol;
};

/// What goes with what is sent, and with what is received.
struct Outgoing {
  std::uint32_t flags = 0;
  const SocketAddress* to = nullptr;
  Control control;
};
struct Incoming {
  std::uint32_t flags = 0;
  SocketAddress from;
  std::uint32_t told = 0;  // MSG_TRUNC, MSG_EOR
  Control control;
  bool wants_sender = false;  // SO_PASSCRED, at the time
  /// Ancillary data of the family's own, if any.
  struct {
    std::int32_t level = 0, type = 0;
    std::size_t bytes = 0;
    std::uint8_t data[20];
  } own;
};

/// Passes on what one queue is told to another.
struct Forwarder {
  explicit Forwarder(WaitQueue& to) : listener(pass_on, &to) {}
  ~Forwarder() { stop(); }
  void listen(WaitQueue& from) {
    stop();
    from.add(listener);
  }
  void stop() { WaitQueue::remove(listener); }

 private:
  static void pass_on(Listener& listener, Events happened) {
    static_cast<WaitQueue*>(listener.owner)->notify(happened);
  }
  Listener listener;
};

/// Who gets SIGIO whenever something happens (FIOASYNC, F_SETOWN), if whoever said so may signal
/// it.
class SignalledOwner {
 public:
  SignalledOwner() : listener_(tell, this) {}
  ~SignalledOwner() { listen(nullptr); }
  /// A process, or as a negative number a group; 0: nobody. ESRCH: there is none; EINVAL.
  Result<> set(int id);
  [[nodiscard]] int id() const { return id_; }
  /// nullptr: no more.
  void listen(WaitQueue* queue) {
    WaitQueue::remove(listener_);
    if (queue) queue->add(listener_);
  }

 private:
  static void tell(Listener& listener, Events happened);
  int id_ = 0;
  SignalSender by_;
  Listener listener_;
};

class Socket : public File {
 public:
  static constexpr char tag = 0;
  [[nodiscard]] const void* class_tag() const override { return &tag; }
  Socket(Ref<Inode> inode, std::uint32_t flags, SocketKind kind);
  ~Socket() override { owner.listen(nullptr); }

  // -- What the calls of their names do. Addresses come as the program gave them.
  virtual Result<> bind(const SocketAddress&) { return Errno::notsup; }
  virtual Result<> connect(const SocketAddress&) { return Errno::notsup; }
  virtual Result<> listen(int /*backlog*/) { return Errno::notsup; }
  /// A new one with `flags`, O_NONBLOCK or none.
  virtual Result<Ref<Socket>> accept(std::uint32_t /*flags*/) { return Errno::notsup; }
  virtual Result<> shutdown(int /*how*/) { return Errno::notsup; }
  virtual Result<SocketAddress> name() = 0;
  virtual Result<SocketAddress> peer_name() = 0;
  /// Of a stream, how many bytes; of a message, all. EPIPE: the caller adds the signal.
  virtual Result<std::size_t> send(const Parts& from, Outgoing& how) = 0;
  virtual Result<std::size_t> receive(const Parts& to, Incoming& how) = 0;
  /// socketpair.
  virtual Result<> join(Socket&) { return Errno::notsup; }

  // -- Options. ENOPROTOOPT: not known. Setting: an integer as far as the option has one.
  Result<> set_option(int level, int name, UserAddress value, std::uint32_t bytes);
  Result<> get_option(int level, int name, UserAddress value, UserAddress bytes);

  // -- As a File.
  Result<std::size_t> read(UserAddress to, std::size_t bytes) override;
  Result<std::size_t> write(Source from, std::size_t bytes) override;
  Result<std::int64_t> ioctl(std::uint32_t request, std::uint64_t argument) override;
  WaitQueue* events() override { return &events_; }
  [[nodiscard]] bool seekable() const override { return false; }

  /// FIOASYNC and O_ASYNC: the owner gets SIGIO.
  void set_async(bool on);

  virtual RightsHolder* rights_holder() { return nullptr; }

  const SocketKind kind;
  SocketOptions options;
  SignalledOwner owner;

 protected:
  // -- What a kind knows of options beyond those of all sockets.
  virtual bool accepts_connections() { return false; }
  virtual abi::PeerCredentials peer_credentials() { return {0, UINT32_MAX, UINT32_MAX}; }
  virtual Result<> set_own_option(int, int, UserAddress, std::uint32_t) { return Errno::notsup; }
  virtual Result<std::size_t> get_own_option(int, int, OptionValue&) { return Errno::notsup; }
  /// SO_SNDBUF or SO_RCVBUF has changed.
  virtual void buffers_changed() {}
  /// FIONREAD. EINVAL: nothing can be read here.
  virtual Result<std::size_t> bytes_to_read() { return Errno::inval; }
  virtual Result<std::size_t> bytes_unsent() { return Errno::inval; }

  /// The error that SO_ERROR tells, once.
  virtual Errno take_error() { return std::exchange(error_, Errno::ok); }

  [[nodiscard]] bool nonblocking(std::uint32_t message_flags) const {
    return (flags & abi::o_nonblock) || (message_flags & abi::msg_dontwait);
  }
  /// A time limit of now on, for wait(); 0: none.
  [[nodiscard]] static std::uint64_t deadline(std::uint64_t timeout_ns);
  /// Sleeps on a queue; EAGAIN when the time is up. With a time limit a signal's handler always
  /// ends the call.
  static Result<> wait(WaitQueue& queue, Events wanted, std::uint64_t deadline_ns);

  WaitQueue events_;
  Errno error_ = Errno::ok;

 private:
  Result<std::size_t> common_option(int name, OptionValue& value);
  SocketCount count_;
};

/// What fstat sees of a socket.
Result<Ref<Inode>> make_socket_inode();

}  // namespace guest
