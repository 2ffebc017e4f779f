// See notice.h. Order and bits are those of Linux.
#include "guest/vfs/notice.h"

#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

std::uint32_t directory_bit(const Inode& inode) {
  return inode.is(mode_directory) ? std::uint32_t{abi::in_isdir} : 0;
}

}  // namespace

void notice_if_gone(Inode& inode) {
  if (inode.is_watched() && !inode.is_open() && inode.stat().links == 0) inode.gone();
}

void notice(Inode& inode, std::uint32_t events) {
  if (inode.is_watched()) inode.tell_watchers({events | directory_bit(inode), 0, {}});
}

void notice_entry(Inode& directory, std::uint32_t events, std::string_view name,
                  std::uint32_t cookie) {
  if (directory.is_watched()) directory.tell_watchers({events, cookie, name});
}

void notice(const Place& place, std::uint32_t events) {
  const std::uint32_t all = events | directory_bit(*place.inode);
  // Its name is looked for only if somebody wants to know: that reads the directory.
  if (place.directory && place.directory->is_watched_for(events))
    if (auto name = name_in(*place.directory, *place.inode); name.ok())
      place.directory->tell_watchers({all, 0, name.value()});
  if (place.inode->is_watched()) place.inode->tell_watchers({all, 0, {}});
}

void notice_unlinked(Inode& inode) {
  notice(inode, abi::in_attrib);
  notice_if_gone(inode);
}

void notice_removed(Inode& directory, std::string_view name, Inode& inode) {
  const std::uint32_t bit = directory_bit(inode);
  if (bit)
    notice_if_gone(inode);
  else
    notice_unlinked(inode);
  notice_entry(directory, abi::in_delete | bit, name);
}

void notice_moved(const PathResult& from, const PathResult& to, bool exchanged) {
  static std::uint32_t last_cookie = 0;
  const auto move = [](const PathResult& old, const PathResult& now) {
    const std::uint32_t cookie = ++last_cookie, bit = directory_bit(*old.inode);
    notice_entry(*old.directory, abi::in_moved_from | bit, old.last, cookie);
    notice_entry(*now.directory, abi::in_moved_to | bit, now.last, cookie);
  };
  move(from, to);
  if (to.inode && !exchanged) notice(*to.inode, abi::in_attrib);
  notice(*from.inode, abi::in_move_self);
  if (exchanged) {
    move(to, from);
    notice(*to.inode, abi::in_move_self);
  } else if (to.inode) {
    notice_if_gone(*to.inode);
  }
}

}  // namespace guest
