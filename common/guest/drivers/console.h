// The console: the guest's standard streams, kept apart from first byte to last.
#pragma once

#include <string_view>

#include "guest/vfs/file_table.h"

namespace guest {

/// A line of the kernel's own on the error stream. Waits for the host, if need be: only in a
/// process's system call.
void console_write_error(std::string_view text);

// -- For the terminal, which has stdin and stdout to itself (terminal.h).
/// Fetches input into its ring. 0: some has come, or irq_console will tell; else no more will.
std::int64_t console_fill();
/// Output: room in the ring, one byte into it (lost where there is none), and all of it to the
/// host.
std::size_t console_room();
void console_show(char c);
void console_shown();

/// Installs stdin, stdout and stderr as descriptors 0, 1 and 2, but for those that the host's user
/// closed.
Result<> open_console_streams(FileTable& files);

/// /dev/console: reads stdin, writes stdout.
Result<Ref<File>> open_console(Ref<Inode> inode, std::uint32_t flags);
/// /dev/tty: the same, where stdin or stdout is a terminal; else ENXIO.
Result<Ref<File>> open_terminal(Ref<Inode> inode, std::uint32_t flags);

}  // namespace guest
