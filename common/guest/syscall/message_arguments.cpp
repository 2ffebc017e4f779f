// See message_arguments.h.
#include "guest/syscall/message_arguments.h"

#include <algorithm>

#include "guest/syscall/path_arguments.h"

namespace guest {

Result<Ref<Socket>> socket_argument(int fd) {
  return file_argument_as<Socket>(fd, Errno::notsock);
}

Result<SocketAddress> address_argument(UserAddress from, std::uint32_t bytes) {
  if (bytes > abi::address_bytes_max) return Errno::inval;
  SocketAddress address;
  TRY(copy_from_user(address.data, from, bytes));
  address.bytes = bytes;
  return address;
}

Result<> give_address(const SocketAddress& address, UserAddress to, UserAddress length_at) {
  const auto room = TRY(get_user<std::int32_t>(length_at));
  if (room < 0) return Errno::inval;
  const std::size_t given = std::min(static_cast<std::uint32_t>(room), address.bytes);
  TRY(copy_to_user(to, static_cast<const void*>(address.data), given));
  return put_user(length_at, address.bytes);
}

Result<> MessageVector::fetch(UserAddress vector, std::uint64_t parts, Errno too_many) {
  constexpr std::size_t max_bytes = 0x7ffff000;
  if (parts > abi::iov_max) return too_many;
  abi::IoVector* to = few_;
  if (parts > few) {
    TRY(many_.reserve(parts));
    while (many_.size() < parts) TRY(many_.push({}));
    to = many_.begin();
  }
  TRY(copy_from_user(to, vector, parts * sizeof *to));
  count_ = parts;
  for (std::size_t i = 0; i < count_; ++i) {
    if (static_cast<std::int64_t>(to[i].bytes) < 0) return Errno::inval;
    if (!vmi::is_user_range(to[i].base, to[i].bytes) && to[i].bytes) return Errno::fault;
    to[i].bytes = std::min(to[i].bytes, max_bytes - bytes_);
    bytes_ += to[i].bytes;
  }
  return {};
}

Result<std::int64_t> read_message(Socket& socket, UserAddress vector, std::uint64_t parts) {
  MessageVector to;
  TRY(to.fetch(vector, parts, Errno::inval));
  if (to.bytes() == 0) return std::int64_t{0};
  Incoming how;
  return as_count(socket.receive(Parts(to.parts(), to.count(), to.bytes()), how));
}

Result<std::int64_t> write_message(Socket& socket, UserAddress vector, std::uint64_t parts) {
  MessageVector from;
  TRY(from.fetch(vector, parts, Errno::inval));
  Outgoing how;
  return as_count(socket.send(Parts(from.parts(), from.count(), from.bytes()), how));
}

}  // namespace guest
