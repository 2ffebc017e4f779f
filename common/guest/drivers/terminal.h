// The terminal: the console's input and output under a line discipline, with a session, foreground
// and background process groups, window size. There is one, and only if the launcher hands over a
// raw host terminal (BootOption::boot_terminal, `typetwo shell`); else the console is three plain
// streams (console.h).
#pragma once

#include "guest/proc/observers.h"
#include "guest/vfs/inode.h"

namespace guest {

/// The launcher has given us a terminal.
bool has_terminal();
/// Boot: makes it the controlling terminal of this session, and starts listening to keys.
void give_terminal(int session);
/// irq_console: keys, room for output, or a new size.
void terminal_interrupt();
/// Hangs up when a session's leader ends: without it a session has no terminal.
ProcessObserver& terminal_observer();

/// A descriptor's end of it. Unless O_NOCTTY, it becomes the controlling terminal of a session
/// leader that has none.
Result<Ref<File>> open_terminal_file(Ref<Inode> inode, std::uint32_t flags);
/// The process's controlling terminal is this one.
bool on_terminal(const Process& process);
/// The process group in its foreground.
int terminal_foreground();

}  // namespace guest
