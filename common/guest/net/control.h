// Control: what goes beside the bytes of a message (struct cmsghdr): files, and who sends it. From
// user memory to a socket, and from a socket into a receiver's.
#pragma once

#include "guest/abi/sockets.h"
#include "guest/mm/user.h"
#include "guest/net/rights.h"

namespace guest {

/// Where a receiver wants it: a buffer that shrinks as it fills.
struct ControlBuffer {
  UserAddress at;
  std::uint64_t bytes = 0;
  std::uint32_t flags = 0;  // MSG_CTRUNC, once something did not fit
  bool close_on_exec = false;

  /// As Linux's put_cmsg: cut if need be.
  Result<> put(int level, int type, const void* data, std::size_t bytes);
  /// Gives the current process descriptors for as many of them as fit.
  Result<> put_files(const Rights& rights);

 private:
  Result<> put_header(std::uint64_t bytes, int level, int type);
  void advance(std::uint64_t bytes);
};

struct Control {
  Ref<Rights> rights;
  abi::PeerCredentials sender = {};
  bool has_sender = false;

  /// Parses what a sender gave, for the current process. EINVAL, EBADF, EPERM, ESRCH…
  Result<> take(UserAddress from, std::uint64_t bytes, int family);

 private:
  Result<> take_one(const abi::ControlHeader& header, const std::uint8_t* data, int family);
  Result<> take_files(const std::uint8_t* data, std::size_t bytes);
  Result<> take_credentials(const std::uint8_t* data, std::size_t bytes);
};

/// Who the current process is, to a peer.
abi::PeerCredentials own_credentials();

}  // namespace guest
