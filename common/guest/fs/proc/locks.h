// What /proc says of locks on files. Called by the table of tree.cpp and by descriptors.cpp.
#pragma once

#include "guest/heap/string.h"
#include "guest/vfs/file_table.h"

namespace guest {

Result<String> machine_locks();
/// Those of an open file, and of a process that has it in its table.
Result<> add_locks_of(String& text, File& file, const FileTable& table);

}  // namespace guest
