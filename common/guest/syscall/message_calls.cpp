// System calls that send and receive: sendto, sendmsg, recvfrom, recvmsg and their forms for many.
#include <algorithm>

#include "guest/abi/file_flags.h"
#include "guest/base/clock.h"
#include "guest/proc/process.h"
#include "guest/syscall/handlers.h"
#include "guest/syscall/message_arguments.h"
#include "guest/syscall/path_arguments.h"
#include "guest/syscall/poll_times.h"

namespace guest {
namespace {

constexpr std::size_t max_bytes = 0x7ffff000;  // as Linux: no call moves more

Result<std::size_t> buffer_bytes(UserAddress buffer, std::uint64_t bytes) {
  bytes = std::min(bytes, max_bytes);
  if (buffer.value > vmi::user_end - bytes) return Errno::fault;
  return std::size_t{bytes};
}

Result<abi::MessageHeader> header_at(UserAddress at) {
  auto header = TRY(get_user<abi::MessageHeader>(at));
  if (static_cast<std::int32_t>(header.name_bytes) < 0) return Errno::inval;
  header.name_bytes = std::min<std::uint32_t>(header.name_bytes, abi::address_bytes_max);
  return header;
}

Result<std::size_t> send_message(Socket& socket, UserAddress at, std::uint32_t flags) {
  const auto header = TRY(header_at(at));
  SocketAddress to;
  if (header.name && header.name_bytes)
    to = TRY(address_argument(UserAddress{header.name}, header.name_bytes));
  MessageVector from;
  TRY(from.fetch(UserAddress{header.vector}, header.parts, Errno::msgsize));
  Outgoing how;
  how.flags = flags;
  if (to.bytes) how.to = &to;
  TRY(how.control.take(UserAddress{header.control}, header.control_bytes, socket.kind.family));
  return socket.send(Parts(from.parts(), from.count(), from.bytes()), how);
}

/// What goes with a message, to the receiver; and where it says so.
Result<> give_control(UserAddress at, const abi::MessageHeader& header, Incoming& how) {
  ControlBuffer control{UserAddress{header.control}, header.control_bytes};
  control.close_on_exec = how.flags & abi::msg_cmsg_cloexec;
  if (how.wants_sender)
    TRY(control.put(abi::sol_socket, abi::scm_credentials, &how.control.sender,
                    sizeof how.control.sender));
  if (how.own.bytes) TRY(control.put(how.own.level, how.own.type, how.own.data, how.own.bytes));
  if (how.control.rights) TRY(control.put_files(*how.control.rights));
  const std::uint32_t told = how.told | control.flags | (how.flags & abi::msg_cmsg_cloexec);
  TRY(put_user(at + offsetof(abi::MessageHeader, flags), told));
  return put_user(at + offsetof(abi::MessageHeader, control_bytes),
                  header.control_bytes - control.bytes);
}

Result<std::size_t> receive_message(Socket& socket, UserAddress at, std::uint32_t flags) {
  const auto header = TRY(header_at(at));
  MessageVector to;
  TRY(to.fetch(UserAddress{header.vector}, header.parts, Errno::msgsize));
  Incoming how;
  how.flags = flags;
  const std::size_t bytes = TRY(socket.receive(Parts(to.parts(), to.count(), to.bytes()), how));
  if (header.name)
    TRY(give_address(how.from, UserAddress{header.name},
                     at + offsetof(abi::MessageHeader, name_bytes)));
  TRY(give_control(at, header, how));
  return bytes;
}

}  // namespace

Result<std::int64_t> sys_sendto(const Args& args) {
  const std::size_t bytes = TRY(buffer_bytes(args.user(1), args.u64(2)));
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  SocketAddress to;
  if (args.user(4)) to = TRY(address_argument(args.user(4), args.u32(5)));
  Outgoing how;
  how.flags = args.u32(3);
  if (to.bytes) how.to = &to;
  return as_count(socket->send(Parts(args.user(1), bytes), how));
}

Result<std::int64_t> sys_recvfrom(const Args& args) {
  const std::size_t room = TRY(buffer_bytes(args.user(1), args.u64(2)));
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  Incoming how;
  how.flags = args.u32(3);
  auto bytes = TRY(socket->receive(Parts(args.user(1), room), how));
  if (args.user(4)) TRY(give_address(how.from, args.user(4), args.user(5)));
  return static_cast<std::int64_t>(bytes);
}

Result<std::int64_t> sys_sendmsg(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  return as_count(send_message(*socket, args.user(1), args.u32(2)));
}

Result<std::int64_t> sys_recvmsg(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  return as_count(receive_message(*socket, args.user(1), args.u32(2)));
}

namespace {

/// Calls `one(address of a struct mmsghdr)` for each, and tells each how long it was. An error
/// counts if there was none before.
template <class One>
Result<std::int64_t> for_each_message(UserAddress messages, std::uint32_t count, One one) {
  std::int64_t done = 0;
  for (; done < std::min<std::uint32_t>(count, abi::iov_max); ++done) {
    const UserAddress at =
        messages + static_cast<std::uint64_t>(done) * sizeof(abi::MultipleMessage);
    Result<std::size_t> bytes = one(at, done);
    Result<> told = bytes.ok() ? put_user(at + offsetof(abi::MultipleMessage, bytes),
                                          static_cast<std::uint32_t>(bytes.value()))
                               : bytes.error();
    if (told.ok()) continue;
    if (done == 0) return told.error();
    break;
  }
  return done;
}

}  // namespace

Result<std::int64_t> sys_sendmmsg(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  return for_each_message(args.user(1), args.u32(2), [&](UserAddress at, std::int64_t) {
    return send_message(*socket, at, args.u32(3));
  });
}

// As Linux, which looks at the time only when a message has come: it bounds no wait.
Result<std::int64_t> sys_recvmmsg(const Args& args) {
  Ref<Socket> socket = TRY(socket_argument(args.i32(0)));
  const std::uint64_t until = args.user(4) ? TRY(timespec_deadline(args.user(4))) : 0;
  const std::uint32_t flags = args.u32(3);
  auto result = for_each_message(
      args.user(1), args.u32(2), [&](UserAddress at, std::int64_t done) -> Result<std::size_t> {
        if (done && until && monotonic_ns() >= until) return Errno::again;
        const bool no_wait = done && (flags & abi::msg_waitforone);
        return receive_message(*socket, at,
                               (flags & ~abi::msg_waitforone) | (no_wait ? abi::msg_dontwait : 0));
      });
  if (args.user(4) && result.ok()) {
    const std::uint64_t now = monotonic_ns();
    TRY(put_user(args.user(4), to_timespec(until > now ? until - now : 0)));
  }
  return result;
}

}  // namespace guest
