// Job control's questions about process groups. Asked by the terminal and by signal delivery.
#pragma once

#include "guest/base/result.h"

namespace guest {

/// No member has a parent in another group of the same session: nobody would ever continue it.
bool is_orphaned(int group, int session);
/// A member's parent has ended: if that leaves nobody to continue the group's stopped processes,
/// they get SIGHUP and SIGCONT.
void wake_orphaned_group(int group, int session);
/// Some process of the session is in the group.
bool session_has_group(int session, int group);
/// The current process neither blocks nor ignores the signal.
bool would_take(int signal);
/// A background process reached for the terminal: its whole group gets SIGTTIN or SIGTTOU. Returns
/// the errno for its call: restart, or EIO where stopping is no way out.
Errno stop_background_group(int signal);

}  // namespace guest
