// Telling those who watch a file or a directory (fs/events/inotify.h) what has been done to it.
// Called by the system calls when it is done; costs two loads where nobody watches.
#pragma once

#include "guest/abi/inotify.h"
#include "guest/vfs/path.h"

namespace guest {

/// To the watchers of `inode` itself.
void notice(Inode& inode, std::uint32_t events);
/// To those of a directory, about its entry `name`. `cookie`: ties both halves of a move.
void notice_entry(Inode& directory, std::uint32_t events, std::string_view name,
                  std::uint32_t cookie = 0);
/// Something was done to what `place` says: to the watchers of both.
void notice(const Place& place, std::uint32_t events);
/// Something was done through an open file.
inline void notice(File& file, std::uint32_t events) {
  if (file.inode().is_watched() || (file.found_in && file.found_in->is_watched()))
    notice(file.place(), events);
}

/// A name of `inode` is gone; perhaps it was the last thing that held it.
void notice_unlinked(Inode& inode);
/// Perhaps this was its last user, and it has no name.
void notice_if_gone(Inode& inode);
/// The entry `name` of a directory is gone, which led to `inode`.
void notice_removed(Inode& directory, std::string_view name, Inode& inode);
/// The entry `from` is now the entry `to`; what was that before has lost a name, or is now `from`.
void notice_moved(const PathResult& from, const PathResult& to, bool exchanged);

}  // namespace guest
