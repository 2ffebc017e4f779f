// The three axes' words, as launchers and the resident parts of both monitors know them.
#pragma once

namespace monitor {

enum class Trap { ptrace, sysemu, sigsys, direct };
enum class Protect { mmap, mprotect, none };
enum class Spaces { remap, pool };

}  // namespace monitor
