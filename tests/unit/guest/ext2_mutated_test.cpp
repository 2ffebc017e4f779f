// ext2 on a thousand damaged images: bytes of the metadata are changed at random. Each must be
// refused, or serve reads and writes with errors at worst: no hang, no panic, and no access outside
// of the image (the disk of the fixture throws at one).
#include <random>

#include "tests/unit/guest/ext2_fixture.h"

using namespace guest;
using namespace guest_test;

namespace {

class Ext2Mutated : public Ext2Test {
 protected:
  /// Reads all there is, a few levels deep, and changes some of it.
  void use(Inode& directory, int depth) {
    std::uint64_t position = 0;
    std::vector<std::string> names;
    while (names.size() < 100) {
      auto entry = directory.entry(position);
      if (!entry.ok()) break;
      names.emplace_back(entry.value().name);
    }
    for (const auto& name : names) {
      if (name == "." || name == "..") continue;
      auto found = directory.lookup(name);
      if (!found.ok()) continue;
      Inode& inode = *found.value();
      ++looked_up;
      (void)inode.stat();
      (void)inode.target();
      if (inode.read(0, buffer, 50'000).ok()) ++read_from;
      (void)inode.read(inode.stat().size / 2, buffer, 5'000);
      if (inode.write(inode.stat().size, buffer, 3'000).ok()) ++written_to;
      (void)inode.truncate(inode.stat().size / 2);
      if (inode.is(mode_directory) && depth > 0) use(inode, depth - 1);
      (void)directory.rename(name, *top, "moved");
      (void)directory.unlink(name);
      (void)directory.rmdir(name);
    }
    if (directory.create("fresh", mode_regular | 0644, 0).ok()) ++created;
    (void)directory.create("folder", mode_directory | 0755, 0);
  }

  // How far they got: a test that refuses all images at the door would show nothing.
  int accepted = 0, looked_up = 0, read_from = 0, written_to = 0, created = 0;
};

TEST_F(Ext2Mutated, AThousandDamagedImagesDoNoHarm) {
  auto tree = folder / "tree";
  std::filesystem::create_directories(tree / "a/b/c");
  std::ofstream(tree / "a/file") << pattern(60'000, 1);
  std::ofstream(tree / "a/b/small") << "small";
  std::filesystem::create_symlink(std::string(80, 's'), tree / "a/slow");
  make_image("-b 1024 -N 64 -d " + tree.string(), "256K");
  const auto sound = disk.image;
  platform.store(buffer.value, 1);
  std::mt19937 random(20031);
  for (int round = 0; round < 1000; ++round) {
    SCOPED_TRACE(round);
    disk.image = sound;
    // The metadata lies in the first blocks, mostly; directories and tables behind it.
    std::size_t reach = round % 2 ? 16 * 1024 : 64 * 1024;
    int changes = 1 + static_cast<int>(random() % 40);
    for (int i = 0; i < changes; ++i) {
      std::size_t at = 1024 + random() % reach;
      if (at - 1024 == 56 || at - 1024 == 57) continue;  // the magic number: refused at once
      disk.image[at] = static_cast<std::uint8_t>(random());
    }
    auto result = ext2::FileSystem::mount(disk);
    if (!result.ok()) continue;
    ++accepted;
    mounted = result.value();
    auto root_node = mounted->root();
    if (root_node.ok()) {
      top = root_node.release();
      use(*top, 3);
      top = {};
    }
    (void)mounted->unmount();
    delete mounted;
    mounted = nullptr;
  }
  EXPECT_GT(accepted, 900);
  EXPECT_GT(looked_up, 5000);
  EXPECT_GT(read_from, 1500);
  EXPECT_GT(written_to, 1200);
  EXPECT_GT(created, 3000);
}

}  // namespace
