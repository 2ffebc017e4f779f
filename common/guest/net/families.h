// The families of sockets that there are, as one table. Asked by socket() and socketpair().
#pragma once

#include "guest/net/socket.h"

namespace guest {

/// A socket that is open for reading and writing, with `flags` (O_NONBLOCK or none). EAFNOSUPPORT,
/// ESOCKTNOSUPPORT, EPROTONOSUPPORT, ENFILE…
Result<Ref<Socket>> make_socket(int family, int type, int protocol, std::uint32_t flags);

}  // namespace guest
