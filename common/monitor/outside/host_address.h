// Endpoints as the host's socket calls have them.
#pragma once

#include <sys/socket.h>

#include "vmi/sockets.h"

namespace monitor {

/// IPv4 or IPv6.
sockaddr_storage address_of(const vmi::HostEndpoint&);
/// As long as its family has it.
socklen_t bytes_of(const sockaddr_storage&);
vmi::HostEndpoint endpoint_of(const sockaddr_storage&);

}  // namespace monitor
