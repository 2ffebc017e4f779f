// The mount table; see mounts.h.
#include "guest/vfs/mounts.h"

namespace guest {
namespace {

struct Mount {
  Ref<Inode> directory;
  std::string_view name;
  Ref<Inode> root;
};

constexpr int max_mounts = 8;

struct MountTable {
  Mount entries[max_mounts];
  int used = 0;

  Mount* begin() { return entries; }
  Mount* end() { return entries + used; }
};

// Never destroyed: there is no end of the kernel at which it could be.
MountTable& table() {
  alignas(MountTable) static unsigned char storage[sizeof(MountTable)];
  return *reinterpret_cast<MountTable*>(storage);
}

Mount* mount_of(Inode& root) {
  for (Mount& mount : table())
    if (mount.root.get() == &root) return &mount;
  return nullptr;
}

constinit RootMount root_of_all{};

}  // namespace

void mount_root(Ref<Inode> root, const char* source, const char* type) {
  root->retain();
  root_of_all = {root.get(), source, type};
}

const RootMount& root_mount() {
  return root_of_all;
}

Ref<Inode> root_inode() {
  return Ref<Inode>(root_of_all.root);
}

Result<> add_mount(Ref<Inode> directory, std::string_view name, Ref<Inode> root) {
  MountTable& mounts = table();
  if (mounts.used == max_mounts) return Errno::nomem;
  mounts.entries[mounts.used++] = {std::move(directory), name, std::move(root)};
  return {};
}

Result<Ref<Inode>> lookup_through_mounts(Inode& directory, std::string_view name) {
  for (Mount& mount : table())
    if (mount.directory.get() == &directory && mount.name == name) return mount.root;
  return directory.lookup(name);
}

Result<Ref<Inode>> parent_through_mounts(Inode& directory) {
  Mount* mount = mount_of(directory);
  return mount ? mount->directory : directory.parent();
}

Result<DirectoryEntry> entry_through_mounts(Inode& directory, std::uint64_t& position) {
  constexpr std::uint64_t mounts_begin = 1ull << 62;  // beyond any directory's own cursor
  if (position < mounts_begin) {
    auto own = directory.entry(position);
    if (own.ok() || own.error() != Errno::noent) return own;
    position = mounts_begin;
  }
  MountTable& mounts = table();
  for (std::uint64_t i = position - mounts_begin; i < static_cast<std::uint64_t>(mounts.used);
       ++i) {
    Mount& mount = mounts.entries[i];
    if (mount.directory.get() != &directory || directory.lookup(mount.name).ok()) continue;
    position = mounts_begin + i + 1;
    return DirectoryEntry{mount.name, mount.root->stat().inode, mode_directory};
  }
  return Errno::noent;
}

std::string_view mount_name(Inode& root) {
  Mount* mount = mount_of(root);
  return mount ? mount->name : std::string_view();
}

std::size_t mount_count() {
  return static_cast<std::size_t>(table().used);
}
std::string_view mount_name(std::size_t index) {
  return table().entries[index].name;
}

}  // namespace guest
