// System calls that make sockets, connect them, and ask about them. What each does is the socket's
// own (net/socket.h); what is sent and received is in message_calls.cpp.
#include "guest/abi/file_flags.h"
#include "guest/net/families.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/message_arguments.h"
#include "guest/syscall/path_arguments.h"

namespace guest {
namespace {

constexpr std::uint32_t flags_of_type = abi::o_cloexec | abi::o_nonblock;

Result<> check_type(std::uint32_t type) {
  constexpr std::uint32_t types = 11;
  if (type & ~(abi::sock_type_mask | flags_of_type)) return Errno::inval;
  return (type & abi::sock_type_mask) < types ? Result<>() : Errno::inval;
}

Result<Ref<Socket>> make(const Args& args) {
  const std::uint32_t type = args.u32(1);
  return make_socket(args.i32(0), static_cast<int>(type & abi::sock_type_mask), args.i32(2),
                     type & abi::o_nonblock);
}

Result<std::int64_t> accept_as(const Args& args, std::uint32_t flags) {
  if (flags & ~flags_of_type) return Errno::inval;
  Ref<Socket> listener = TRY(socket_argument(args.i32(0)));
  TRY(check_room_for_files(1));
  Process& self = current_process();
  TRY(self.files->make_room(self.open_limit()));
  Ref<Socket> accepted = TRY(listener->accept(flags & abi::o_nonblock));
  if (args.user(1)) {
    auto peer = accepted->peer_name();
    if (!peer.ok()) return Errno::connaborted;
    TRY(give_address(peer.value(), args.user(1), args.user(2)));
  }
  return install_file(std::move(accepted), flags);
}

}  // namespace

Result<std::int64_t> sys_socket(const Args& args) {
  TRY(check_type(args.u32(1)));
  TRY(check_room_for_files(1));
  return install_file(TRY(make(args)), args.u32(1));
}

Result<std::int64_t> sys_socketpair(const Args& args) {
  TRY(check_type(args.u32(1)));
  TRY(check_room_for_files(2));
  Ref<Socket> first = TRY(make(args)), second = TRY(make(args));
  TRY(first->join(*second));
  FileTable& files = *current_process().files;
  std::int32_t fds[2];
  fds[0] = static_cast<std::int32_t>(TRY(install_file(std::move(first), args.u32(1))));
  auto other = install_file(std::move(second), args.u32(1));
  if (!other.ok()) {
    TRY(files.close(fds[0]));
    return other;
  }
  fds[1] = static_cast<std::int32_t>(other.value());
  auto put = copy_to_user(args.user(3), fds, sizeof fds);
  if (!put.ok())
    for (int fd : fds) TRY(files.close(fd));
  return as_zero(std::move(put));
}

Result<std::int64_t> sys_bind(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  return as_zero(socket->bind(TRY(address_argument(args.user(1), args.u32(2)))));
}

Result<std::int64_t> sys_connect(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  return as_zero(socket->connect(TRY(address_argument(args.user(1), args.u32(2)))));
}

Result<std::int64_t> sys_listen(const Args& args) {
  return as_zero(TRY(socket_argument(args.i32(0)))->listen(args.i32(1)));
}

Result<std::int64_t> sys_accept(const Args& args) {
  return accept_as(args, 0);
}
Result<std::int64_t> sys_accept4(const Args& args) {
  return accept_as(args, args.u32(3));
}

Result<std::int64_t> sys_shutdown(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  if (args.i32(1) < abi::shut_rd || args.i32(1) > abi::shut_rdwr) return Errno::inval;
  return as_zero(socket->shutdown(args.i32(1)));
}

Result<std::int64_t> sys_getsockname(const Args& args) {
  const SocketAddress own = TRY(TRY(socket_argument(args.i32(0)))->name());
  return as_zero(give_address(own, args.user(1), args.user(2)));
}

Result<std::int64_t> sys_getpeername(const Args& args) {
  const SocketAddress peer = TRY(TRY(socket_argument(args.i32(0)))->peer_name());
  return as_zero(give_address(peer, args.user(1), args.user(2)));
}

Result<std::int64_t> sys_setsockopt(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  if (args.i32(4) < 0) return Errno::inval;
  return as_zero(socket->set_option(args.i32(1), args.i32(2), args.user(3), args.u32(4)));
}

Result<std::int64_t> sys_getsockopt(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  return as_zero(socket->get_option(args.i32(1), args.i32(2), args.user(3), args.user(4)));
}

}  // namespace guest
