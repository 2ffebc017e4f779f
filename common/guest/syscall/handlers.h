// Declarations of all system-call handlers, made from the table: an entry without a handler does
// not link, a handler without an entry does not compile.
#pragma once

#include "guest/syscall/args.h"
#include "guest/syscall/table.h"

namespace guest {

/// How far a call is served; the note beside it says what is missing.
enum class Support { full, partly, refused };

#define X(number, name, support, note) Result<std::int64_t> sys_##name(const Args&);
GUEST_SYSCALLS(X)
#undef X

}  // namespace guest
