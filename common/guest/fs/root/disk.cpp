// See disk.h. There is one disk, and at most one mount of it.
#include "guest/fs/root/disk.h"

#include "guest/base/log.h"
#include "guest/drivers/block.h"
#include "guest/fs/ext2/node.h"
#include "guest/vfs/mounts.h"

namespace guest {
namespace {

ext2::FileSystem* mounted = nullptr;

class UnmountAtEnd final : public ProcessObserver {
 public:
  void machine_ends() override {
    if (mounted && !mounted->unmount().ok())
      log("typetwo guest: not all that was written is on the disk image: check it with e2fsck\n");
  }
};

constinit UnmountAtEnd unmount_at_end;

}  // namespace

Result<Ref<Inode>> mount_disk(Inode& boot_tree) {
  BlockDevice* disk = machine_disk();
  if (!disk) return Ref<Inode>();
  mounted = TRY(ext2::FileSystem::mount(*disk));
  Ref<Inode> root = TRY(mounted->root());
  frames_set_reclaimer([](Frames wanted) { mounted->drop_pages(wanted.number); });
  for (std::string_view name : {"dev", "proc", "sys", "tmp"}) {
    auto found = boot_tree.lookup(name);
    if (found.ok()) TRY(add_mount(root, name, found.release()));
  }
  return root;
}

Result<> sync_disk() {
  return mounted ? mounted->sync() : Result<>();
}

ProcessObserver& disk_observer() {
  return unmount_at_end;
}

}  // namespace guest
