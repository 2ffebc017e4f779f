// What programs have sent to the outside and the host has not taken when the machine ends: it is
// waited for, a while.
#pragma once

#include "guest/proc/observers.h"

namespace guest {

ProcessObserver& unsent_observer();

}  // namespace guest
