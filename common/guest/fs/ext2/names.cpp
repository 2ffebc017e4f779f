// What names mean: making, linking, removing and moving files. A name is entered before the old one
// goes, and counts are raised before names are, so that what a crash leaves is more often a lost
// file than a name that leads nowhere.
#include "guest/abi/file_flags.h"
#include "guest/fs/ext2/node.h"
#include "guest/vfs/device_number.h"

namespace guest::ext2 {
namespace {

constexpr std::uint32_t max_depth = 4096;  // of directories, before it must be a circle

}  // namespace

Result<Ref<Inode>> Node::lookup(std::string_view name) {
  if (!is(mode_directory)) return Errno::notdir;
  if (raw_.links == 0)  // what its entries name may be anything by now
    return name == ".." && above_ ? Result<Ref<Inode>>(above_) : Errno::noent;
  std::uint32_t number = TRY(find_entry(name)).head().inode;
  return Ref<Inode>(TRY(fs_.node(number)));
}

Result<Ref<Inode>> Node::parent() {
  if (!is(mode_directory)) return Errno::notdir;
  return lookup("..");
}

Result<> Node::check_new_name(std::string_view name) {
  if (!is(mode_directory)) return Errno::notdir;
  TRY(fs_.check_writable());
  TRY(fs_.begin_change());
  if (raw_.links == 0) return Errno::noent;
  if (name.size() > abi::name_max) return Errno::nametoolong;
  auto found = find_entry(name);
  if (found.ok()) return Errno::exist;
  return found.error() == Errno::noent ? Result<>() : found.error();
}

// A new inode without a name. Whoever gives up on it sets its link count to 0.
Result<Ref<Node>> Node::make_child(std::uint32_t mode, std::uint64_t rdev) {
  if ((mode & mode_type) == 0) mode |= mode_regular;
  bool directory = (mode & mode_type) == mode_directory;
  if (directory && raw_.links >= max_links) return Errno::mlink;
  std::uint32_t number = TRY(fs_.allocate_inode(number_, directory));
  auto made = make(fs_, number, mode);
  if (!made.ok()) {
    (void)fs_.free_inode(number, directory);
    return made.error();
  }
  Ref<Node> child = made.release();
  if (raw_.mode & 02000) {  // set-group-id directory: the group is inherited
    child->raw_.gid = raw_.gid;
    child->raw_.gid_high = raw_.gid_high;
    if (directory) child->raw_.mode |= 02000;
  }
  if (child->is(mode_character) || child->is(mode_block)) {
    bool fits = (rdev & ~0xffffull) == 0;
    child->raw_.block[fits ? 0 : 1] = static_cast<std::uint32_t>(rdev);
  }
  return child;
}

// The inode was made, its name could not be: nobody will ever find it.
#define ENTER_OR_DROP(expression, child) \
  ({                                     \
    auto entered = (expression);         \
    if (!entered.ok()) {                 \
      (child).raw_.links = 0;            \
      fs_.let_go(child);                 \
      return entered.error();            \
    }                                    \
  })

Result<Ref<Inode>> Node::create(std::string_view name, std::uint32_t mode, std::uint64_t rdev) {
  TRY(check_new_name(name));
  Ref<Node> child = TRY(make_child(mode, rdev));
  bool directory = child->is(mode_directory);
  if (directory)
    ENTER_OR_DROP(child->start_directory(*this), *child);
  else
    ENTER_OR_DROP(child->store(), *child);
  ENTER_OR_DROP(add_entry(name, *child), *child);
  if (directory) {
    ++raw_.links;
    TRY(store());
  }
  return Ref<Inode>(std::move(child));
}

// As if it had been made and removed at once: what a crash leaves is repaired like any such file.
Result<Ref<Inode>> Node::create_unnamed(std::uint32_t mode) {
  if (!is(mode_directory)) return Errno::notdir;
  TRY(fs_.check_writable());
  TRY(fs_.begin_change());
  if (raw_.links == 0) return Errno::noent;
  Ref<Node> child = TRY(make_child(mode, 0));
  child->raw_.links = 0;
  fs_.let_go(*child);
  TRY(child->store());
  return Ref<Inode>(std::move(child));
}

Result<Ref<Inode>> Node::symlink(std::string_view name, std::string_view target) {
  TRY(check_new_name(name));
  if (target.size() >= fs_.block_size()) return Errno::nametoolong;
  Ref<Node> child = TRY(make_child(mode_symlink | 0777, 0));
  child->size_ = target.size();
  auto write_target = [&]() -> Result<> {
    if (target.size() < sizeof child->raw_.block) {
      __builtin_memcpy(child->raw_.block, target.data(), target.size());
    } else {
      Block block = TRY(fs_.fresh_block(TRY(child->map_or_allocate(0, 1)).first));
      __builtin_memcpy(block.data(), target.data(), target.size());
    }
    return child->store();
  };
  ENTER_OR_DROP(write_target(), *child);
  ENTER_OR_DROP(add_entry(name, *child), *child);
  return Ref<Inode>(std::move(child));
}

Result<> Node::link(std::string_view name, Inode& inode) {
  Node* mine = fs_.own(inode);
  if (!mine) return Errno::xdev;
  if (mine->is(mode_directory)) return Errno::perm;
  const bool first = mine->raw_.links == 0;
  if (first && !mine->waits_for_name) return Errno::noent;
  if (mine->raw_.links >= max_links) return Errno::mlink;
  TRY(check_new_name(name));
  ++mine->raw_.links;
  TRY(mine->note_change());
  auto added = add_entry(name, *mine);
  if (!added.ok()) {
    --mine->raw_.links;
    (void)mine->store();
  } else if (first) {
    mine->waits_for_name = false;
    mine->hold();
  }
  return added;
}

// A name of `child` in this directory is gone; if it is a directory, so is its ".." here.
Result<> Node::let_go_of(Node& child) {
  if (!child.is(mode_directory)) return child.drop_link();
  child.above_ = Ref<Node>(this);
  child.raw_.links = child.raw_.links < 2 ? 2 : child.raw_.links;
  TRY(child.drop_link(child.raw_.links));
  if (raw_.links <= 2) return fs_.corrupt("link count of inode", number_);
  return drop_link();
}

Result<> Node::unlink(std::string_view name) {
  if (!is(mode_directory)) return Errno::notdir;
  TRY(fs_.begin_change());
  Ref<Node> child;
  {
    Place place = TRY(find_entry(name));
    child = TRY(fs_.node(place.head().inode));
    if (child->is(mode_directory)) return Errno::isdir;
    TRY(remove_entry(place));
  }
  return let_go_of(*child);
}

Result<> Node::rmdir(std::string_view name) {
  if (!is(mode_directory)) return Errno::notdir;
  TRY(fs_.begin_change());
  Ref<Node> child;
  {
    Place place = TRY(find_entry(name));
    child = TRY(fs_.node(place.head().inode));
    if (!child->is(mode_directory)) return Errno::notdir;
    if (child->number_ == root_inode_number) return fs_.corrupt("name of the root in", number_);
    if (!TRY(child->empty_directory())) return Errno::notempty;
    TRY(remove_entry(place));
  }
  return let_go_of(*child);
}

Result<> Node::check_move(Node& moved, Node& to, Node* replaced) {
  TRY(fs_.check_writable());
  if (to.raw_.links == 0) return Errno::noent;
  bool directory = moved.is(mode_directory);
  Ref<Node> up(&to);
  for (std::uint32_t depth = 0; directory; ++depth) {
    if (up.get() == &moved) return Errno::inval;  // into itself
    if (up->number_ == root_inode_number) break;
    if (depth == max_depth) return fs_.corrupt("a circle of directories at inode", to.number_);
    up = Ref<Node>(fs_.own(*TRY(up->parent())));
    if (!up->is(mode_directory)) return fs_.corrupt("parent of inode", to.number_);
  }
  if (!replaced) {
    if (directory && &to != this && to.raw_.links >= max_links) return Errno::mlink;
    return {};
  }
  bool onto_directory = replaced->is(mode_directory);
  if (directory && !onto_directory) return Errno::notdir;
  if (!directory && onto_directory) return Errno::isdir;
  if (onto_directory && !TRY(replaced->empty_directory())) return Errno::notempty;
  return {};
}

Result<> Node::rename(std::string_view name, Inode& to_inode, std::string_view new_name) {
  if (!is(mode_directory)) return Errno::notdir;
  Node* to = fs_.own(to_inode);
  if (!to) return to_inode.is(mode_directory) ? Errno::xdev : Errno::notdir;
  if (!to->is(mode_directory)) return Errno::notdir;
  if (new_name.size() > abi::name_max) return Errno::nametoolong;
  TRY(fs_.begin_change());
  Ref<Node> moved = TRY(fs_.node(TRY(find_entry(name)).head().inode));
  Ref<Node> replaced;
  auto target = to->find_entry(new_name);
  if (target.ok())
    replaced = TRY(fs_.node(target.value().head().inode));
  else if (target.error() != Errno::noent)
    return target.error();
  if (replaced == moved) return {};  // two names of one file: both stay
  TRY(check_move(*moved, *to, replaced.get()));

  // The new name first: it is the only step that can fail for want of room.
  if (replaced) {
    TRY(to->point_entry(target.value(), *moved));
    TRY(to->not_indexed_any_more());
  } else {
    TRY(to->add_entry(new_name, *moved));
  }
  if (!moved->is(mode_directory)) {
    // A file with one name too many is easily repaired, one without a name is not.
    if (replaced) TRY(to->let_go_of(*std::exchange(replaced, {})));
    Place fresh = TRY(to->find_entry(new_name)), old = TRY(find_entry(name));
    if (fresh.block.number() != old.block.number()) TRY(fs_.write_metadata());
  }
  {
    Place old = TRY(find_entry(name));
    TRY(remove_entry(old));
  }
  if (moved->is(mode_directory) && to != this) {
    TRY(moved->set_parent(*to));
    ++to->raw_.links;
    TRY(to->store());
    TRY(drop_link());
  }
  if (replaced) TRY(to->let_go_of(*replaced));
  return moved->note_change();
}

#undef ENTER_OR_DROP

}  // namespace guest::ext2
