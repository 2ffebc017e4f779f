// The one place where what lies above is made known to what lies below.
#pragma once

namespace guest {

/// Before anything is mounted or run; by boot, and by tests that run a whole kernel on the host.
void connect_layers();

}  // namespace guest
