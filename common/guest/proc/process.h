// Process: one guest process, with its one thread (threads of a process come with clone flags
// later; fields that a thread group shares are behind Refs already).
#pragma once

#include <cstdint>

#include "guest/base/list.h"
#include "guest/base/ref.h"

namespace guest {

class AddressSpace;  // mm/address_space.h
class FileTable;     // fs/file_table.h: descriptors
class FsContext;     // fs/fs_context.h: root, working directory, umask

}  // namespace guest
