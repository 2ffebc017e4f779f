// /proc/net: the sockets that there are, as tables of text.
#pragma once

#include "guest/heap/string.h"

namespace guest {

Result<String> net_tcp();
Result<String> net_tcp6();
Result<String> net_udp();
Result<String> net_udp6();
Result<String> net_unix();
/// The loopback's IPv6 address; and the routes to elsewhere, of which there are none.
Result<String> net_if_inet6();
Result<String> net_route();
/// What the loopback has carried.
Result<String> net_dev();

}  // namespace guest
