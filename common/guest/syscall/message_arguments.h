// What the socket calls take and give in common: addresses, vectors, and which socket is meant.
#pragma once

#include "guest/abi/file_structs.h"
#include "guest/net/socket.h"
#include "guest/syscall/args.h"

namespace guest {

/// EBADF, ENOTSOCK.
Result<Ref<Socket>> socket_argument(int fd);

/// An address that a program gives. EINVAL: its length cannot be; EFAULT.
Result<SocketAddress> address_argument(UserAddress from, std::uint32_t bytes);
/// Puts one where a program wants it, cut to the room it has there; `length_at` says how much that
/// is, and gets the whole length.
Result<> give_address(const SocketAddress& address, UserAddress to, UserAddress length_at);

/// A vector that a program gives, checked and copied: few parts need no memory of the heap.
class MessageVector {
 public:
  /// `too_many`: the error of more than IOV_MAX parts.
  Result<> fetch(UserAddress vector, std::uint64_t parts, Errno too_many);
  [[nodiscard]] const abi::IoVector* parts() const { return many_.empty() ? few_ : many_.begin(); }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t few = 8;
  abi::IoVector few_[few];
  Vec<abi::IoVector> many_{HeapKind::file};
  std::size_t count_ = 0, bytes_ = 0;
};

/// readv and writev of a socket: one message.
Result<std::int64_t> read_message(Socket& socket, UserAddress vector, std::uint64_t parts);
Result<std::int64_t> write_message(Socket& socket, UserAddress vector, std::uint64_t parts);

}  // namespace guest
