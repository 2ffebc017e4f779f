// ext2 over images made by mke2fs: what it reads and writes, and what e2fsck says afterwards.
#include "tests/unit/guest/ext2_fixture.h"

using namespace guest;
using namespace guest_test;

namespace {

void put_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Block sizes: a page holds four, two, one.
class Ext2Blocks : public Ext2Test, public testing::WithParamInterface<int> {
 protected:
  std::string block_option() const { return "-b " + std::to_string(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Sizes, Ext2Blocks, testing::Values(1024, 2048, 4096));

TEST_P(Ext2Blocks, ReadsWhatMke2fsWrote) {
  auto tree = folder / "tree";
  std::filesystem::create_directories(tree / "usr/bin");
  std::string big = pattern(900'000, 7);
  put_file(tree / "usr/big", big);
  put_file(tree / "small", "hello");
  std::filesystem::create_symlink("usr/big", tree / "fast");
  std::filesystem::create_symlink(std::string(100, 'x'), tree / "slow");
  for (int i = 0; i < 300; ++i) put_file(tree / "usr/bin" / ("name" + std::to_string(i)), "x");
  make_image(block_option() + " -d " + tree.string(), "8M");
  mount();
  EXPECT_EQ(read(*look(*top, "small"), 0, 100), "hello");
  auto file = look(*look(*top, "usr"), "big");
  EXPECT_EQ(read(*file, 0, big.size()), big);
  EXPECT_EQ(read(*file, 500'001, 3), big.substr(500'001, 3));
  EXPECT_EQ(look(*top, "fast")->target().value().view(), "usr/big");
  EXPECT_EQ(look(*top, "slow")->target().value().view(), std::string(100, 'x'));
  auto bin = look(*look(*top, "usr"), "bin");
  std::uint64_t position = 0;
  int entries = 0;
  while (bin->entry(position).ok()) ++entries;
  EXPECT_EQ(entries, 302);
  EXPECT_TRUE(look(*bin, "name299")->is(mode_regular));
  EXPECT_EQ(bin->lookup("nobody").error(), Errno::noent);
  EXPECT_EQ(look(*bin, "..")->stat().inode, look(*top, "usr")->stat().inode);
  file = bin = {};
  unmount_and_check();
}

TEST_P(Ext2Blocks, WritesFilesOfAllDepths) {
  make_image(block_option(), "16M");
  mount();
  std::string text = pattern(700'000, 3);
  auto file = make(*top, "file");
  EXPECT_EQ(write(*file, 0, text), text.size());
  EXPECT_EQ(write(*file, 5000, "patch"), 5u);
  text.replace(5000, 5, "patch");
  EXPECT_EQ(read(*file, 0, text.size()), text);
  auto sparse = make(*top, "sparse");
  std::uint64_t far = GetParam() == 1024 ? 80'000'000 : 5'000'000'000;
  EXPECT_EQ(write(*sparse, far, "end"), 3u);
  EXPECT_EQ(write(*sparse, 70'000, "middle"), 6u);
  EXPECT_EQ(read(*sparse, 69'998, 10), std::string("\0\0middle\0\0", 10));
  EXPECT_LT(sparse->stat().blocks512, 100u);
  file = sparse = {};
  unmount_and_check();
  EXPECT_EQ(dump("/file"), text);
  mount();
  EXPECT_EQ(read(*look(*top, "file"), 0, text.size()), text);
  EXPECT_EQ(read(*look(*top, "sparse"), far, 10), "end");
  unmount_and_check();
}

TEST_P(Ext2Blocks, TruncatesBothWays) {
  make_image(block_option(), "16M");
  mount();
  auto file = make(*top, "file");
  std::string text = pattern(600'000, 1);
  write(*file, 0, text);
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(file->truncate(100'001).ok());
  ASSERT_TRUE(file->truncate(200'000).ok());
  EXPECT_EQ(read(*file, 100'000, 4), std::string(1, text[100'000]) + std::string(3, '\0'));
  file = {};
  unmount_and_check();
  mount();
  file = look(*top, "file");
  EXPECT_EQ(read(*file, 0, 300'000), text.substr(0, 100'001) + std::string(99'999, '\0'));
  ASSERT_TRUE(file->truncate(0).ok());
  EXPECT_EQ(file->stat().blocks512, 0u);
  file = {};
  unmount_and_check();
}

TEST_P(Ext2Blocks, NamesComeGoAndMove) {
  make_image(block_option(), "8M");
  mount();
  auto a = make(*top, "a", mode_directory | 0755), b = make(*top, "b", mode_directory | 0755);
  for (int i = 0; i < 200; ++i) make(*a, ("file-" + std::to_string(i)).c_str());
  for (int i = 0; i < 200; i += 2) EXPECT_TRUE(a->unlink("file-" + std::to_string(i)).ok());
  EXPECT_TRUE(a->rename("file-1", *b, "moved").ok());
  EXPECT_TRUE(a->rename("file-3", *b, "moved").ok());
  EXPECT_TRUE(b->link("other", *look(*b, "moved")).ok());
  EXPECT_EQ(look(*b, "other")->stat().links, 2u);
  auto sub = make(*a, "sub", mode_directory | 0755);
  EXPECT_EQ(a->stat().links, 3u);
  EXPECT_TRUE(a->rename("sub", *b, "sub").ok());
  EXPECT_EQ(a->stat().links, 2u);
  EXPECT_EQ(look(*sub, "..")->stat().inode, b->stat().inode);
  EXPECT_EQ(top->rename("b", *sub, "x").error(), Errno::inval);
  EXPECT_EQ(top->rmdir("b").error(), Errno::notempty);
  EXPECT_TRUE(b->rmdir("sub").ok());
  EXPECT_TRUE(top->symlink("short", "a/file-5").ok());
  EXPECT_TRUE(top->symlink("long", std::string(200, 'l')).ok());
  EXPECT_TRUE(top->create("pipe", mode_fifo | 0600, 0).ok());
  EXPECT_TRUE(top->create("null", mode_character | 0666, 0x103).ok());
  EXPECT_EQ(look(*top, "null")->stat().rdev, 0x103u);
  a = b = sub = {};
  unmount_and_check();
  mount();
  EXPECT_EQ(look(*top, "long")->target().value().view(), std::string(200, 'l'));
  EXPECT_TRUE(top->unlink("long").ok());
  unmount_and_check();
}

TEST_F(Ext2Test, RemovedButOpenFilesLiveOn) {
  make_image("", "4M");
  mount();
  auto free_before = mounted->space().blocks_free;
  auto file = make(*top, "file");
  write(*file, 0, pattern(300'000, 9));
  EXPECT_TRUE(top->unlink("file").ok());
  EXPECT_EQ(read(*file, 0, 10), pattern(10, 9));
  EXPECT_LT(mounted->space().blocks_free, free_before);
  file = {};
  EXPECT_EQ(mounted->space().blocks_free, free_before);
  file = make(*top, "still open");
  write(*file, 0, pattern(300'000, 9));
  EXPECT_TRUE(top->unlink("still open").ok());
  EXPECT_TRUE(mounted->unmount().ok());
  expect_sound();
  file = {};
}

TEST_F(Ext2Test, AFullDiskSaysSoAndStaysSound) {
  make_image("-N 64", "1M");
  mount();
  auto file = make(*top, "file");
  to_user(pattern(100'000, 2));
  std::uint64_t at = 0;
  Errno error = Errno::ok;
  while (error == Errno::ok) {
    auto written = file->write(at, buffer, 100'000);
    error = written.error();
    if (written.ok()) at += written.value();
  }
  EXPECT_EQ(error, Errno::nospc);
  EXPECT_GT(at, 700'000u);
  EXPECT_EQ(file->stat().size, at);
  for (int i = 0; i < 100; ++i) (void)top->create("f" + std::to_string(i), mode_regular, 0);
  EXPECT_EQ(top->create("last", mode_directory, 0).error(), Errno::nospc);
  file = {};
  unmount_and_check();
}

TEST_F(Ext2Test, SyncedDataSurvivesACrash) {
  make_image("", "4M");
  mount();
  auto file = make(*top, "file");
  std::string text = pattern(200'000, 5);
  write(*file, 0, text);
  ASSERT_TRUE(file->sync().ok());
  EXPECT_GE(disk.flushes, 2);
  write(*make(*top, "later"), 0, text);
  auto [status, output] = fsck("-fp", disk.stable);
  EXPECT_LE(status, 1) << output;
  EXPECT_EQ(dump("/file"), text);
  file = {};
  unmount_and_check();
}

TEST_F(Ext2Test, AnImageInUseIsMountedReadOnly) {
  make_image("", "2M");
  mount();
  auto crashed = disk.image;
  unmount();
  disk.image = crashed;
  mount();
  EXPECT_EQ(top->create("x", mode_regular, 0).error(), Errno::rofs);
  EXPECT_EQ(disk.image, crashed);
}

TEST_F(Ext2Test, AReadOnlyDiskIsNeverWritten) {
  make_image("", "2M");
  disk.refuses_writes = true;
  mount();
  EXPECT_EQ(top->create("x", mode_regular, 0).error(), Errno::rofs);
  EXPECT_EQ(top->unlink("lost+found").error(), Errno::isdir);
  EXPECT_TRUE(mounted->sync().ok());
  unmount();
}

TEST_F(Ext2Test, SharedMappingsAreWrittenBack) {
  make_image("", "4M");
  mount();
  auto file = make(*top, "file");
  ASSERT_TRUE(file->truncate(10'000).ok());
  MapRequest request;
  request.bytes = 12'288;
  request.protection = vmi::prot_read | vmi::prot_write;
  request.shared = true;
  request.backing = file;
  auto at = space->map(request);
  ASSERT_TRUE(at.ok());
  platform.store(at.value() + 5000, 'x');
  ASSERT_TRUE(file->sync().ok());
  platform.store(at.value() + 5001, 'y');
  EXPECT_TRUE(space->unmap(at.value(), 12'288).ok());
  request.backing = {};
  EXPECT_EQ(read(*file, 4999, 4), std::string("\0xy\0", 4));
  file = {};
  unmount_and_check();
  EXPECT_EQ(dump("/file").substr(4999, 4), std::string("\0xy\0", 4));
}

TEST_F(Ext2Test, MuchMoreThanMemoryPassesThrough) {
  make_image("", "32M");
  mount();
  std::string text = pattern(1 << 20, 11);
  for (int i = 0; i < 20; ++i) write(*make(*top, ("f" + std::to_string(i)).c_str()), 0, text);
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(read(*look(*top, ("f" + std::to_string(i)).c_str()), 0, text.size()), text) << i;
  unmount_and_check();
}

}  // namespace
