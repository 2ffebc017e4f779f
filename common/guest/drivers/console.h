// The console: the guest's standard streams, kept apart from first byte to last.
#pragma once

#include "guest/fs/file_table.h"

namespace guest {

/// irq_console is pending: input has come, or its end. Called by the trap code.
void console_interrupt();

/// Installs stdin, stdout and stderr as descriptors 0, 1 and 2.
Result<> open_console_streams(FileTable& files);

/// /dev/console: reads stdin, writes stdout.
Result<Ref<File>> open_console(Ref<Inode> inode, std::uint32_t flags);
/// /dev/tty: the same, where stdin or stdout is a terminal; else ENXIO.
Result<Ref<File>> open_terminal(Ref<Inode> inode, std::uint32_t flags);

}  // namespace guest
