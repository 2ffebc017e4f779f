// FsContext: see the header. Used by path lookup, chdir, chroot, umask, getcwd and /proc.
#include "guest/vfs/fs_context.h"

#include "guest/abi/file_flags.h"
#include "guest/vfs/mounts.h"
#include "guest/vfs/path.h"

namespace guest {
namespace {

constexpr const char* deleted = " (deleted)";

}  // namespace

Result<std::string_view> name_in(Inode& directory, Inode& child) {
  if (auto name = mount_name(child); !name.empty()) return name;
  Stat wanted = child.stat();
  std::uint64_t position = 0;
  for (;;) {
    DirectoryEntry entry = TRY(directory.entry(position));  // ENOENT: it was removed
    if (entry.name == "." || entry.name == "..") continue;
    // Directories under a mount have numbers of another series.
    if (entry.inode == wanted.inode &&
        TRY(directory.lookup(entry.name))->stat().device == wanted.device)
      return entry.name;
  }
}

Result<Ref<FsContext>> FsContext::create(Ref<Inode> root) {
  auto context = TRY(make_ref<FsContext>());
  context->root = root;
  context->cwd = std::move(root);
  return context;
}

Result<Ref<FsContext>> FsContext::clone() {
  auto copy = TRY(create(root));
  copy->cwd = cwd;
  copy->umask = umask;
  return copy;
}

Result<Place> FsContext::find(std::string_view path, const Caller& caller) const {
  return TRY(walk_path({root, cwd, caller}, TRY(String::from(path)), Last::follow)).place();
}

Result<Ref<Inode>> FsContext::resolve(std::string_view path) const {
  return TRY(find(path)).inode;
}

Result<String> FsContext::working_path() const {
  return path_of(cwd, false);
}

/// ENOENT: it was removed, or one above it, unless `removed_too`.
Result<String> FsContext::path_of(Ref<Inode> directory, bool removed_too) const {
  // Built from the last component to the first, so names are put in front.
  String path;
  while (!(directory == root)) {
    const LastPlace* last = removed_too ? directory->last_place() : nullptr;
    const bool removed = last && last->removed;
    Ref<Inode> above = TRY(parent_through_mounts(*directory));
    if (above == directory) break;  // the real root: the process is above its own
    String longer;
    TRY(longer.append("/"));
    TRY(longer.append(removed ? last->name.view() : TRY(name_in(*above, *directory))));
    TRY(longer.append(path.view()));
    path = std::move(longer);
    if (path.size() > abi::path_max) return Errno::nametoolong;  // or a damaged disk's circle
    directory = above;
  }
  if (path.size() == 0) TRY(path.append("/"));
  return path;
}

Result<String> FsContext::shown_path_of(const Ref<Inode>& directory) const {
  String path = TRY(path_of(directory, true));
  const LastPlace* last = directory->last_place();
  if (last && last->removed) TRY(path.append(deleted));
  return path;
}

Result<String> FsContext::shown_path_of(const Place& place, std::string_view name) const {
  Ref<Inode> directory = place.directory;
  bool removed = true;
  if (directory) {
    auto found = name_in(*directory, *place.inode);
    removed = !found.ok();
    if (found.ok()) name = found.value();
  }
  if (const LastPlace* last = place.inode->last_place(); removed && last) {
    directory = last->directory;
    name = last->name.view();
    removed = last->removed;
  }
  String path;
  if (directory) {
    if (auto above = path_of(directory, true); above.ok()) path = above.release();
    if (path.size() != 1) TRY(path.append("/"));
  }
  TRY(path.append(name));
  if (removed) TRY(path.append(deleted));
  return path;
}

}  // namespace guest
