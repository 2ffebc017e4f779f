// Ports of the guest that the host has published: while somebody in the guest listens there, so
// does the host, and who connects to it comes to the listener's backlog, as who connects from
// within.
#pragma once

#include "guest/net/inet/endpoint.h"

namespace guest {

/// A socket listens on that port from now on, or no longer does.
void begin_to_publish(std::uint16_t port, int backlog);
void end_to_publish(std::uint16_t port);

/// Is what is not the guest's own there carried to the host?
bool is_outside(const Endpoint& target);

}  // namespace guest
