// Mounting the root at boot: one inode an entry of the boot tree, files' frames taken over in
// place. Every file takes references of its own on its frames; then the tree's own are dropped, so
// that its header, entries and strings become free memory.
#include "guest/fs/root/boot_mount.h"

#include "guest/fs/proc/tree.h"
#include "guest/fs/ram/ramfs.h"
#include "guest/fs/root/boot_tree_reader.h"
#include "guest/fs/root/disk.h"

namespace guest {
namespace {

Result<> adopt_contents(RamFile& file, const vmi::BootTreeEntry& entry, BootTreeReader& tree) {
  FrameRun run = tree.contents(entry);
  for (Frame frame = run.first; frame < run.end(); ++frame)
    if (frame_references(frame) != 1) tree.refuse("frame %lu belongs to two files", frame);
  if (run.count) frames_retain(run);
  auto adopted = file.adopt(run, entry.size);
  if (!adopted.ok() && run.count) frames_release(run);
  return adopted;
}

Result<Ref<Inode>> make_entry(RamDirectory& parent, const vmi::BootTreeEntry& entry,
                              BootTreeReader& tree) {
  String name = TRY(tree.name(entry));
  if (parent.lookup(name.view()).ok()) tree.refuse("name at offset %lu is there twice", entry.name);
  switch (entry.mode & mode_type) {
    case mode_symlink:
      return parent.symlink(name.view(), TRY(tree.symlink_target(entry)).view());
    case mode_regular: {
      Ref<Inode> inode = TRY(parent.create(name.view(), entry.mode, 0));
      TRY(adopt_contents(static_cast<RamFile&>(*inode), entry, tree));
      return inode;
    }
    case mode_directory:
      return parent.create(name.view(), entry.mode, 0);
    case mode_character:
      return parent.create(name.view(), entry.mode, entry.data);
    default:
      tree.refuse("file mode %lo makes no sense", entry.mode);
  }
}

Result<> build(BootTreeReader& tree, Ref<RamDirectory> root) {
  Vec<RamDirectory*> directories;  // by entry; null for what is not a directory
  TRY(directories.reserve(tree.entries()));
  TRY(directories.push(root.get()));
  vmi::BootTreeEntry top = tree.entry(0);
  if ((top.mode & mode_type) != mode_directory) tree.refuse("root's mode is %lo", top.mode);
  for (std::uint32_t i = 1; i < tree.entries(); ++i) {
    vmi::BootTreeEntry entry = tree.entry(i);
    if (entry.parent >= i || !directories[entry.parent])
      tree.refuse("entry %lu has no directory before it", i);
    Ref<Inode> inode = TRY(make_entry(*directories[entry.parent], entry, tree));
    ram_inode(*inode)->restore(entry.uid, entry.gid, entry.mtime_ns);
    TRY(directories.push(ram_directory(*inode)));
  }
  // Making entries touched their directories: times last.
  for (std::uint32_t i = 0; i < tree.entries(); ++i) {
    vmi::BootTreeEntry entry = tree.entry(i);
    if (directories[i]) directories[i]->restore(entry.uid, entry.gid, entry.mtime_ns);
  }
  return {};
}

}  // namespace

Result<> mount_boot_tree(FrameRun frames, Vec<String>& argv, Vec<String>& envp) {
  BootTreeReader tree(frames);
  auto root = TRY(make_ref<RamDirectory>(tree.entry(0).mode, Ref<RamDirectory>()));
  TRY(build(tree, root));
  TRY(tree.arguments(argv, envp));
  frames_release(frames);
  TRY(mount_proc_and_sys(*root));
  Ref<Inode> disk = TRY(mount_disk(*root));
  root->retain();  // for ever: also below a disk, parts of it are mounted
  if (disk)
    mount_root(std::move(disk), "/dev/root", "ext2");
  else
    mount_root(std::move(root), "root", "tmpfs");
  return {};
}

}  // namespace guest
