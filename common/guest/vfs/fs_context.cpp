// FsContext: see the header. Used by path lookup, chdir, chroot, umask, getcwd and /proc.
#include "guest/vfs/fs_context.h"

#include "guest/abi/file_flags.h"
#include "guest/vfs/mounts.h"
#include "guest/vfs/path.h"

namespace guest {

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
  return path_of(cwd);
}

Result<String> FsContext::path_of(Ref<Inode> directory) const {
  // Built from the last component to the first, so names are put in front.
  String path;
  while (!(directory == root)) {
    Ref<Inode> above = TRY(parent_through_mounts(*directory));
    if (above == directory) break;  // the real root: the process is above its own
    String longer;
    TRY(longer.append("/"));
    TRY(longer.append(TRY(name_in(*above, *directory))));
    TRY(longer.append(path.view()));
    path = std::move(longer);
    if (path.size() > abi::path_max) return Errno::nametoolong;  // or a damaged disk's circle
    directory = above;
  }
  if (path.size() == 0) TRY(path.append("/"));
  return path;
}

Result<String> FsContext::path_in(Ref<Inode> directory, Inode& file) const {
  String path = TRY(path_of(directory));
  if (path.size() > 1) TRY(path.append("/"));
  auto name = name_in(*directory, file);
  TRY(path.append(name.ok() ? name.value() : "? (deleted)"));
  return path;
}

Result<String> FsContext::path_in(const Place& place, std::string_view name) const {
  String path;
  if (place.directory) {
    auto found = name_in(*place.directory, *place.inode);
    auto above = path_of(place.directory);
    if (above.ok()) path = above.release();
    if (found.ok()) name = found.value();
    if (path.size() > 1 || !above.ok()) TRY(path.append("/"));
    TRY(path.append(name));
    if (found.ok() && above.ok()) return path;
  } else {
    TRY(path.append(name));
  }
  TRY(path.append(" (deleted)"));
  return path;
}

}  // namespace guest
