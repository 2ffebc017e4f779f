// RamDirectory: names and the rules for making, removing and moving them. Link counts are Linux's:
// a directory counts its name, its own "." and each child's "..".
#include "guest/fs/ram/ramfs.h"

namespace guest {

RamDirectory::RamDirectory(std::uint32_t mode, Ref<RamDirectory> parent)
    : RamInode(mode_directory | (mode & 07777)), parent_(std::move(parent)) {
  add_link();
  add_link();
}

// Those above go one by one: of removed directories, each of which held the next, there may be more
// than the stack has room for.
RamDirectory::~RamDirectory() {
  for (auto up = std::move(parent_); up && up->references() == 1;) up = std::move(up->parent_);
}

Stat RamDirectory::stat() {
  Stat s = RamInode::stat();
  s.size = 20 * (names_.size() + 2);  // as Linux's tmpfs reckons
  return s;
}

Result<Ref<Inode>> RamDirectory::parent() {
  return Ref<Inode>(parent_ ? parent_.get() : this);
}

Result<Ref<Inode>> RamDirectory::lookup(std::string_view name) {
  NameEntry* entry = names_.find(name);
  if (!entry) return Errno::noent;
  return entry->inode;
}

Result<> RamDirectory::insert(std::string_view name, Ref<RamInode> inode) {
  if (removed()) return Errno::noent;
  if (names_.find(name)) return Errno::exist;
  TRY(names_.insert(name, inode));
  if (!inode->is(mode_directory)) inode->add_link();
  modified();
  return {};
}

Result<Ref<RamInode>> RamDirectory::make_node(std::uint32_t mode, std::uint64_t rdev) {
  switch (mode & mode_type) {
    case mode_directory:
      return Ref<RamInode>(TRY(make_ref<RamDirectory>(mode, Ref<RamDirectory>(this))));
    case 0:
    case mode_regular:
      return Ref<RamInode>(TRY(make_ref<RamFile>(mode)));
    case mode_fifo:
      return Ref<RamInode>(TRY(make_ref<RamFifo>(mode)));
    case mode_character:
    case mode_block:
      return Ref<RamInode>(TRY(make_ref<RamDevice>(mode, rdev)));
    case mode_socket:  // a name: who is bound to it is net/unix's to know
      return Ref<RamInode>(TRY(make_ref<RamDevice>(mode, 0)));
    default:
      return Errno::perm;
  }
}

Result<Ref<Inode>> RamDirectory::create(std::string_view name, std::uint32_t mode,
                                        std::uint64_t rdev) {
  TRY(RamInode::check_room());
  Ref<RamInode> inode = TRY(make_node(mode, rdev));
  TRY(insert(name, inode));
  if (inode->is(mode_directory)) add_link();
  return Ref<Inode>(std::move(inode));
}

Result<Ref<Inode>> RamDirectory::create_unnamed(std::uint32_t mode) {
  TRY(RamInode::check_room());
  if (removed()) return Errno::noent;
  return Ref<Inode>(TRY(make_ref<RamFile>(mode)));
}

Result<Ref<Inode>> RamDirectory::symlink(std::string_view name, std::string_view target) {
  TRY(RamInode::check_room());
  auto inode = TRY(make_ref<RamSymlink>(TRY(String::from(target, HeapKind::inode))));
  TRY(insert(name, inode));
  return Ref<Inode>(inode);
}

Result<> RamDirectory::link(std::string_view name, Inode& inode) {
  RamInode* mine = ram_inode(inode);
  if (!mine) return Errno::xdev;
  if (mine->is(mode_directory)) return Errno::perm;
  if (mine->links() == 0 && !mine->waits_for_name) return Errno::noent;
  TRY(insert(name, Ref<RamInode>(mine)));
  mine->waits_for_name = false;
  mine->note_change();
  return {};
}

Result<> RamDirectory::attach(std::string_view name, Ref<Inode> inode) {
  if (NameEntry* entry = names_.find(name)) {
    let_go(*entry->inode);
    entry->inode = std::move(inode);
    return {};
  }
  return names_.insert(name, std::move(inode));
}

// A name of `inode` is gone; if it is a directory, so is its ".." here.
void RamDirectory::let_go(Inode& inode) {
  RamInode* mine = ram_inode(inode);
  if (!mine) return;
  mine->drop_link();
  if (mine->is(mode_directory)) {
    mine->drop_link();
    drop_link();
  }
}

void RamDirectory::remove_entry(NameEntry* entry) {
  Ref<Inode> inode = entry->inode;
  names_.erase(entry);
  let_go(*inode);
  modified();
}

Result<> RamDirectory::unlink(std::string_view name) {
  NameEntry* entry = names_.find(name);
  if (!entry) return Errno::noent;
  if (entry->inode->is(mode_directory)) return Errno::isdir;
  remove_entry(entry);
  return {};
}

Result<> RamDirectory::rmdir(std::string_view name) {
  NameEntry* entry = names_.find(name);
  if (!entry) return Errno::noent;
  if (!entry->inode->is(mode_directory)) return Errno::notdir;
  RamDirectory* directory = ram_directory(*entry->inode);
  if (!directory) return Errno::busy;  // something else is mounted there
  if (!directory->names_.empty()) return Errno::notempty;
  remove_entry(entry);
  return {};
}

/// Is it `directory` or somewhere below it?
bool RamDirectory::lies_in(const RamDirectory& directory) const {
  for (const RamDirectory* up = this; up; up = up->parent_.get())
    if (up == &directory) return true;
  return false;
}

/// What has got a name here had one in `from`.
void RamDirectory::take_over(Inode& moved, RamDirectory& from) {
  if (RamDirectory* directory = ram_directory(moved)) {
    add_link();
    from.drop_link();
    directory->parent_ = Ref<RamDirectory>(this);
  }
  if (RamInode* mine = ram_inode(moved)) mine->note_change();
}

Result<> RamDirectory::check_rename(Inode& moved, RamDirectory& to, NameEntry* replaced) {
  RamDirectory* directory = ram_directory(moved);
  if (!directory && moved.is(mode_directory)) return Errno::busy;
  if (directory && to.lies_in(*directory)) return Errno::inval;  // into itself
  if (!replaced) return to.removed() ? Result<>(Errno::noent) : Result<>();
  bool onto_directory = replaced->inode->is(mode_directory);
  if (directory && !onto_directory) return Errno::notdir;
  if (!directory && onto_directory) return Errno::isdir;
  if (!onto_directory) return {};
  RamDirectory* victim = ram_directory(*replaced->inode);
  if (!victim) return Errno::busy;
  if (!victim->names_.empty()) return Errno::notempty;
  return {};
}

Result<> RamDirectory::rename(std::string_view name, Inode& to_inode, std::string_view new_name) {
  RamDirectory* to = ram_directory(to_inode);
  if (!to) return to_inode.is(mode_directory) ? Errno::xdev : Errno::notdir;
  NameEntry* entry = names_.find(name);
  if (!entry) return Errno::noent;
  NameEntry* replaced = to->names_.find(new_name);
  if (replaced && replaced->inode == entry->inode) return {};  // two names of one file: both stay
  Ref<Inode> moved = entry->inode;
  TRY(check_rename(*moved, *to, replaced));

  // The new name first: it is the only step that can fail.
  if (replaced) {
    Ref<Inode> victim = std::exchange(replaced->inode, moved);
    to->let_go(*victim);
  } else {
    TRY(to->names_.insert(new_name, moved));
  }
  names_.erase(entry);
  to->take_over(*moved, *this);
  modified();
  if (to != this) to->modified();
  return {};
}

Result<> RamDirectory::exchange(std::string_view name, Inode& other_inode,
                                std::string_view other_name) {
  RamDirectory* other = ram_directory(other_inode);
  if (!other) return other_inode.is(mode_directory) ? Errno::xdev : Errno::notdir;
  NameEntry *entry = names_.find(name), *second = other->names_.find(other_name);
  if (!entry || !second) return Errno::noent;
  RamDirectory *mine = ram_directory(*entry->inode), *theirs = ram_directory(*second->inode);
  if ((mine && other->lies_in(*mine)) || (theirs && lies_in(*theirs))) return Errno::inval;
  if (entry->inode == second->inode) return {};
  std::swap(entry->inode, second->inode);
  take_over(*entry->inode, *other);
  other->take_over(*second->inode, *this);
  modified();
  if (other != this) other->modified();
  return {};
}

Result<DirectoryEntry> RamDirectory::entry(std::uint64_t& position) {
  if (position < NameTable::first_cookie) {
    bool dot = position++ == 0;
    Inode& inode = dot || !parent_ ? *this : static_cast<Inode&>(*parent_);
    return DirectoryEntry{dot ? "." : "..", inode.stat().inode, mode_directory};
  }
  NameEntry* next = names_.from(position);
  if (!next) return Errno::noent;
  position = next->cookie + 1ull;
  return DirectoryEntry{next->name(), next->inode->stat().inode, next->inode->mode()};
}

}  // namespace guest
