// Descriptors 0, 1 and 2 of the tool. Started with one of them closed, it would open its next file
// under that number, and a guest's stdin would be its memory, or its stdout the disk.
#pragma once

namespace monitor {

/// What is closed is opened: as a descriptor on which reads and writes fail with EBADF, in the tool
/// and in whatever it starts. Called by main() before anything else opens a file.
void fill_closed_streams();

/// Was it closed? The program that the tool runs is to find it so.
bool stream_was_closed(int stream);

}  // namespace monitor
