// See socket.h.
#include "guest/net/socket.h"

#include <algorithm>

#include "guest/base/clock.h"
#include "guest/net/interface.h"
#include "guest/proc/process.h"
#include "guest/proc/signal.h"
#include "guest/vfs/device_number.h"

namespace guest {
namespace {

std::uint32_t sockets = 0;  // that there are
std::uint64_t last_inode = 0;

class SocketInode final : public Inode {
 public:
  SocketInode(std::uint32_t uid, std::uint32_t gid) : uid_(uid), gid_(gid) {}
  [[nodiscard]] std::uint32_t mode() const override { return mode_socket | mode_; }
  Stat stat() override {
    Stat s{};
    s.device = device_of_sockets;
    s.inode = number_;
    s.mode = mode();
    s.links = 1;
    s.uid = uid_;
    s.gid = gid_;
    s.block_size = vmi::page_size;
    return s;
  }
  /// By way of /proc/self/fd: there is nothing that could be opened again.
  Result<Ref<File>> open(std::uint32_t) override { return Errno::nxio; }
  Result<> set_mode(std::uint32_t mode) override {
    mode_ = mode & 07777;
    return {};
  }
  Result<> set_owner(std::uint32_t uid, std::uint32_t gid) override {
    if (uid != UINT32_MAX) uid_ = uid;
    if (gid != UINT32_MAX) gid_ = gid;
    return {};
  }

 private:
  const std::uint64_t number_ = ++last_inode;
  std::uint32_t mode_ = 0777, uid_, gid_;
};

}  // namespace

Result<Ref<Inode>> make_socket_inode() {
  const Credentials& own = current_thread().credentials;
  return Ref<Inode>(TRY(make_ref<SocketInode>(own.euid, own.egid)));
}

SocketCount::SocketCount() {
  ++sockets;
}
SocketCount::~SocketCount() {
  --sockets;
}

Result<> SocketCount::check(std::uint32_t more) {
  if (sockets + more > most) in_flight.collect();
  return sockets + more > most ? Result<>(Errno::nfile) : Result<>();
}

Socket::Socket(Ref<Inode> inode, std::uint32_t flags, SocketKind kind)
    : File(std::move(inode), flags | abi::o_rdwr), kind(kind) {}

Result<std::size_t> Socket::read(UserAddress to, std::size_t bytes) {
  if (bytes == 0) return std::size_t{0};
  Incoming how;
  return receive(Parts(to, bytes), how);
}

Result<std::size_t> Socket::write(Source from, std::size_t bytes) {
  Outgoing how;
  return send(Parts(from, bytes), how);
}

Result<std::int64_t> Socket::ioctl(std::uint32_t request, std::uint64_t argument) {
  const UserAddress at{argument};
  std::int32_t number = 0;
  switch (request) {
    case abi::siocinq:
      number = static_cast<std::int32_t>(TRY(bytes_to_read()));
      break;
    case abi::siocoutq:
      number = static_cast<std::int32_t>(TRY(bytes_unsent()));
      break;
    case abi::fiogetown:
    case abi::siocgpgrp:
      number = owner.id();
      break;
    case abi::fiosetown:
    case abi::siocspgrp:
      TRY(owner.set(TRY(get_user<std::int32_t>(at))));
      return std::int64_t{0};
    case abi::fioasync:
      set_async(TRY(get_user<std::int32_t>(at)) != 0);
      return std::int64_t{0};
    default:
      return interface_ioctl(request, argument);
  }
  TRY(put_user(at, number));
  return std::int64_t{0};
}

void Socket::set_async(bool on) {
  owner.listen(on ? &events_ : nullptr);
  flags = on ? flags | abi::o_async : flags & ~abi::o_async;
}

Result<> SignalledOwner::set(int id) {
  if (id == INT32_MIN) return Errno::inval;
  if (id > 0 && !processes.find(id)) return Errno::srch;
  if (id < 0) TRY(send_signal_to_group(-id, {}));  // only whether it exists
  const Credentials& own = current_thread().credentials;
  id_ = id;
  by_ = {own.uid, own.euid};
  return {};
}

void SignalledOwner::tell(Listener& listener, Events) {
  const auto& self = *static_cast<SignalledOwner*>(listener.owner);
  auto signal = [&](Process& process) {
    if (self.by_.may_signal(process)) send_signal(process, sig_io);
  };
  if (self.id_ > 0) {
    if (Process* process = processes.find(self.id_)) signal(*process);
  } else if (self.id_ < 0) {
    for (Process& process : processes.all())
      if (process.group == -self.id_) signal(process);
  }
}

std::uint64_t Socket::deadline(std::uint64_t timeout_ns) {
  return timeout_ns ? monotonic_ns() + timeout_ns : 0;
}

Result<> Socket::wait(WaitQueue& queue, Events wanted, std::uint64_t deadline_ns) {
  auto slept = queue.wait(wanted, deadline_ns);
  if (slept.error() == Errno::timedout) return Errno::again;
  if (deadline_ns && slept.error() == Errno::restart) return Errno::intr;
  return slept;
}

// -- Options.

Result<> Socket::set_option(int level, int name, UserAddress value, std::uint32_t bytes) {
  if (level != abi::sol_socket) return set_own_option(level, name, value, bytes);
  TRY(options.set(name, value, bytes));
  buffers_changed();
  return {};
}

// Those that are facts.
Result<std::size_t> Socket::common_option(int name, OptionValue& value) {
  switch (name) {
    case abi::so_type:
      return value.set_number(kind.type);
    case abi::so_domain:
      return value.set_number(kind.family);
    case abi::so_protocol:
      return value.set_number(kind.protocol);
    case abi::so_acceptconn:
      return value.set_number(accepts_connections());
    case abi::so_error:
      return value.set_number(static_cast<int>(take_error()));
    case abi::so_peercred:
      return value.set(peer_credentials());
    default:
      return options.get(name, value);
  }
}

Result<> Socket::get_option(int level, int name, UserAddress value, UserAddress bytes) {
  const auto room = TRY(get_user<std::int32_t>(bytes));
  if (room < 0) return Errno::inval;
  OptionValue out;
  const std::size_t length =
      TRY(level == abi::sol_socket ? common_option(name, out) : get_own_option(level, name, out));
  const auto given = std::min(static_cast<std::int32_t>(length), room);
  TRY(copy_to_user(value, static_cast<const void*>(out.bytes), static_cast<std::size_t>(given)));
  TRY(put_user(bytes, given));
  return {};
}

}  // namespace guest
