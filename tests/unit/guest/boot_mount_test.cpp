// The root from a boot tree: contents taken over in place, and trees that make no sense, which must
// end in a panic line and never in a crash.
#include "guest/fs/root/boot_mount.h"

#include <gtest/gtest.h>
#include <sanitizer/lsan_interface.h>

#include <functional>
#include <random>

#include "guest/mm/frames.h"
#include "guest/vfs/path.h"
#include "tests/unit/guest/fake_platform.h"
#include "vmi/boot_tree.h"

namespace guest {
namespace {

constexpr Frame tree_frame = 3;
constexpr std::uint32_t tree_frames = 4;  // one of metadata, two of contents, one spare
constexpr std::uint32_t all_frames = 64;
constexpr std::uint32_t file_bytes = 5000;

/// The first page of a tree: /, /d, /d/file (two frames), /d/link -> file, /null.
struct Metadata {
  vmi::BootTreeHeader header{};
  vmi::BootTreeEntry entries[5]{};
  char strings[64]{};
};

Metadata good_tree() {
  Metadata tree;
  const char strings[] = "\0d\0file\0link\0null\0prog\0arg\0A=b";
  std::memcpy(tree.strings, strings, sizeof strings);
  tree.entries[0] = {0, mode_directory | 0755, 0, 0, 0, 1, 0, 0};
  tree.entries[1] = {0, mode_directory | 0700, 1, 2, 0, 2, 1, 0};
  tree.entries[2] = {1, mode_regular | 0644, 3, 4, file_bytes, 3, 3, 1};
  tree.entries[3] = {1, mode_symlink | 0777, 0, 0, 4, 4, 8, 3};
  tree.entries[4] = {0, mode_character | 0666, 0, 0, 0, 5, 13, 0x103};
  tree.header = {.magic = vmi::BootTreeHeader::magic_value,
                 .version = vmi::vmi_version,
                 .entries = 5,
                 .strings_offset = offsetof(Metadata, strings),
                 .strings_bytes = sizeof strings,
                 .argv_offset = 18,
                 .envp_offset = 27,
                 .argc = 2,
                 .envc = 1,
                 .total_bytes = tree_frames * vmi::page_size};
  return tree;
}

class BootMountTest : public testing::Test {
 protected:
  Result<> mount(const Metadata& tree) {
    const FrameRun where{tree_frame, Frames(tree_frames)};
    frames_init(Frames(all_frames), where);
    std::memcpy(platform.frame(tree_frame), &tree, sizeof tree);
    std::memset(platform.frame(tree_frame + 1), 'c', file_bytes);
    return mount_boot_tree(where, argv, envp);
  }
  void expect_panic(const char* about, const std::function<void(Metadata&)>& spoil) {
    __lsan::ScopedDisabler half_built_trees_are_left;
    Metadata tree = good_tree();
    spoil(tree);
    try {
      EXPECT_FALSE(mount(tree).ok()) << about;
      ADD_FAILURE() << about << ": no panic";
    } catch (const guest_test::GuestPanic& panic) {
      EXPECT_NE(std::string(panic.what()).find(about), std::string::npos) << panic.what();
    }
  }
  Ref<Inode> find(const char* path, Last last = Last::follow) {
    auto found = walk_path({root_inode(), root_inode()}, String::from(path).release(), last);
    EXPECT_TRUE(found.ok()) << path;
    return found.ok() ? found.value().inode : Ref<Inode>();
  }
  guest_test::FakePlatform platform{all_frames};
  Vec<String> argv, envp;
};

TEST_F(BootMountTest, TakesTheTreeOver) {
  __lsan::ScopedDisabler the_root_stays_for_ever;
  ASSERT_TRUE(mount(good_tree()).ok());
  ASSERT_EQ(argv.size(), 2u);
  EXPECT_EQ(argv[0].view(), "prog");
  EXPECT_EQ(argv[1].view(), "arg");
  ASSERT_EQ(envp.size(), 1u);
  EXPECT_EQ(envp[0].view(), "A=b");

  auto file = find("/d/link");
  EXPECT_EQ(file, find("/d/file"));
  Stat s = file->stat();
  EXPECT_EQ(s.mode, mode_regular | 0644);
  EXPECT_EQ(s.uid, 3u);
  EXPECT_EQ(s.size, file_bytes);
  EXPECT_EQ(s.mtime_ns, 3u);
  EXPECT_EQ(find("/d")->stat().mtime_ns, 2u);
  EXPECT_EQ(find("/null")->stat().rdev, 0x103u);
  auto run = file->pages(0, Frames(16));
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run.value().first, tree_frame + 1) << "in place, not copied";
  EXPECT_EQ(run.value().count.number, 2u);
  EXPECT_EQ(frames_free().number, all_frames - 2) << "the rest of the tree is free memory";
  EXPECT_TRUE(find("/proc/sys")->is(mode_directory));
}

TEST_F(BootMountTest, TreesThatMakeNoSense) {
  expect_panic("magic", [](auto& t) { t.header.magic = 1; });
  expect_panic("version", [](auto& t) { t.header.version = 99; });
  expect_panic("entries", [](auto& t) { t.header.entries = 0; });
  expect_panic("entries", [](auto& t) { t.header.entries = UINT32_MAX; });
  expect_panic("entries", [](auto& t) { t.header.entries = 100'000; });
  expect_panic("bytes", [](auto& t) { t.header.total_bytes = ~0ull; });
  expect_panic("strings", [](auto& t) { t.header.strings_offset = ~0ull; });
  expect_panic("strings", [](auto& t) { t.header.strings_bytes = ~0ull; });
  expect_panic("arguments", [](auto& t) { t.header.argc = 0; });
  expect_panic("string at", [](auto& t) { t.header.argv_offset = ~0ull; });
  expect_panic("string at", [](auto& t) { t.header.envc = 30; });
  expect_panic("root's mode", [](auto& t) { t.entries[0].mode = mode_regular; });
  expect_panic("no directory", [](auto& t) { t.entries[1].parent = 4; });
  expect_panic("no directory", [](auto& t) { t.entries[3].parent = 2; });
  expect_panic("mode", [](auto& t) { t.entries[4].mode = 0777; });
  expect_panic("not a file name", [](auto& t) { t.entries[1].name = 0; });
  expect_panic("string at", [](auto& t) { t.entries[1].name = 4000; });
  expect_panic("twice", [](auto& t) { t.entries[4].name = t.entries[1].name; });
  expect_panic("contents", [](auto& t) { t.entries[2].data = 0; });
  expect_panic("contents", [](auto& t) { t.entries[2].data = 1000; });
  expect_panic("contents", [](auto& t) { t.entries[2].size = ~0ull; });
  expect_panic("contents", [](auto& t) { t.entries[2].size = 1ull << 40; });
  expect_panic("two files", [](auto& t) { t.entries[4] = {0, mode_regular, 0, 0, 1, 0, 13, 2}; });
}

// Any word anywhere in the metadata may be anything: a mounted tree or a panic, nothing else.
TEST_F(BootMountTest, SpoiledTreesNeverCrash) {
  __lsan::ScopedDisabler half_built_trees_are_left;
  std::mt19937 random(7);
  const std::uint32_t values[] = {0, 1, 2, 5, 63, 4096, 0x7fffffff, 0x80000000, UINT32_MAX};
  for (int round = 0; round < 3000; ++round) {
    Metadata tree = good_tree();
    auto* words = reinterpret_cast<std::uint32_t*>(&tree);
    for (unsigned i = 0; i <= random() % 3; ++i) {
      std::uint32_t value = random() % 2 ? values[random() % std::size(values)] : random();
      words[random() % (sizeof tree / sizeof *words)] = value;
    }
    argv.clear();
    envp.clear();
    try {
      static_cast<void>(mount(tree).ok());
    } catch (const guest_test::GuestPanic&) {
    }
  }
}

}  // namespace
}  // namespace guest
