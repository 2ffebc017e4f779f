// ext2 where things go wrong or are unusual: sparse files at the borders of their tables,
// directories that are removed while somebody is in them, copies that fault, and a disk that fails.
#include "guest/abi/file_flags.h"
#include "tests/unit/guest/ext2_fixture.h"

using namespace guest;
using namespace guest_test;

namespace {

class Ext2Trouble : public Ext2Test {
 protected:
  void remount() {
    unmount_and_check();
    mount();
  }
  /// What a later mount would think of the image.
  [[nodiscard]] bool called_clean() const {
    const auto& super =
        *reinterpret_cast<const ext2::Superblock*>(&disk.image[ext2::superblock_offset]);
    return super.state == ext2::state_clean;
  }
};

/// With 4 KiB blocks: behind 12 direct ones and a table of 1024, tables of tables begin.
constexpr std::uint64_t unit = 4096, per_table = 1024, double_tables = 12 + per_table;

TEST_F(Ext2Trouble, AHoleBeforeAMissingTableEndsWithThatTable) {
  make_image("-b 4096", "16M");
  mount();
  const std::string text = pattern(256 * 1024, 4);
  auto file = make(*top, "file");
  write(*file, unit * double_tables, "x");
  const std::uint64_t near_end = unit * (double_tables + per_table + 1000);
  EXPECT_EQ(write(*file, near_end, text), text.size());
  EXPECT_EQ(read(*file, near_end, text.size()), text);
  file = {};
  remount();
  EXPECT_EQ(read(*look(*top, "file"), near_end, text.size()), text);
  unmount_and_check();
}

TEST_F(Ext2Trouble, ReadingAheadFromAHoleFindsWhatLiesBehindIt) {
  make_image("-b 4096", "16M");
  mount();
  const std::uint64_t table = unit * (double_tables + 2 * per_table);
  auto file = make(*top, "file");
  write(*file, table, "behind");
  file = {};
  remount();
  file = look(*top, "file");
  EXPECT_EQ(read(*file, table - 4 * unit, 10), std::string(10, '\0'));
  EXPECT_EQ(read(*file, table, 10), "behind");
  file = {};
  unmount_and_check();
}

TEST_F(Ext2Trouble, ARemovedDirectoryStillKnowsTheOneAbove) {
  make_image("", "2M");
  mount();
  auto a = make(*top, "a", mode_directory | 0755), b = make(*a, "b", mode_directory | 0755);
  const auto number = a->stat().inode;
  ASSERT_TRUE(a->rmdir("b").ok());
  ASSERT_TRUE(top->rmdir("a").ok());
  a = {};
  EXPECT_EQ(b->lookup(".").error(), Errno::noent);
  auto found = b->parent();
  ASSERT_TRUE(found.ok());
  a = found.release();
  EXPECT_EQ(a->stat().inode, number);
  EXPECT_EQ(a->stat().links, 0u);
  EXPECT_EQ(a->parent().value()->stat().inode, top->stat().inode);
  EXPECT_EQ(a->create("x", mode_regular, 0).error(), Errno::noent);
  a = b = {};
  EXPECT_FALSE(mounted->read_only());
  unmount_and_check();
}

/// A thousand of them, which a recursive end would take a stack for.
TEST_F(Ext2Trouble, AChainOfRemovedDirectoriesGoesOneByOne) {
  make_image("-N 2000", "4M");
  mount();
  std::vector<Ref<Inode>> chain = {top};
  for (int i = 0; i < 1000; ++i) chain.push_back(make(*chain.back(), "d", mode_directory | 0755));
  Ref<Inode> deepest = chain.back();
  for (chain.pop_back(); !chain.empty(); chain.pop_back())
    ASSERT_TRUE(chain.back()->rmdir("d").ok());
  deepest = {};
  unmount_and_check();
}

TEST_F(Ext2Trouble, ACopyThatFaultsLeavesTheOldContents) {
  make_image("-b 1024", "4M");
  mount();
  const std::string text = pattern(10'000, 6);
  write(*make(*top, "file"), 0, text);
  remount();
  auto file = look(*top, "file");
  EXPECT_EQ(file->write(0, UserAddress{4096}, vmi::page_size).error(), Errno::fault);
  EXPECT_EQ(file->write(8192, UserAddress{4096}, 3000).error(), Errno::fault);
  EXPECT_EQ(read(*file, 0, text.size()), text);
  file = {};
  remount();
  EXPECT_EQ(read(*look(*top, "file"), 0, text.size()), text);
  unmount_and_check();
}

TEST_F(Ext2Trouble, AWriteThatFindsNoRoomLeavesTheHole) {
  make_image("-b 1024 -N 16 -m 0", "1M");
  mount();
  auto file = make(*top, "file");
  write(*file, 100'000, "end");
  auto rest = make(*top, "rest");
  to_user(pattern(100'000, 2));
  for (std::uint64_t at = 0; rest->write(at, buffer, 1000).ok();) at = rest->stat().size;
  ASSERT_EQ(mounted->space().blocks_free, 0u);
  EXPECT_EQ(file->write(4096, buffer, 4096).error(), Errno::nospc);
  EXPECT_EQ(read(*file, 4096, 4096), std::string(4096, '\0'));
  EXPECT_EQ(read(*file, 99'999, 10), std::string("\0end", 4));
  file = rest = {};
  unmount_and_check();
}

TEST_F(Ext2Trouble, LostContentsAreToldOnceAndTheImageIsNotClean) {
  make_image("", "4M");
  mount();
  write(*make(*top, "file"), 0, pattern(50'000, 3));
  disk.loses_contents = true;
  mounted->drop_pages(frames);
  disk.loses_contents = false;
  EXPECT_EQ(mounted->sync().error(), Errno::io);
  EXPECT_TRUE(mounted->sync().ok());
  top = {};
  EXPECT_EQ(mounted->unmount().error(), Errno::io);
  EXPECT_FALSE(called_clean());
}

TEST_F(Ext2Trouble, ARemovedFileWhoseBlocksCannotBeFreedIsNotClean) {
  make_image("-b 1024", "4M");
  mount();
  write(*make(*top, "file"), 0, pattern(100'000, 3));
  remount();
  auto file = look(*top, "file");
  ASSERT_TRUE(top->unlink("file").ok());
  disk.refuses_reads = true;
  file = {};
  disk.refuses_reads = false;
  EXPECT_FALSE(mounted->read_only());
  top = {};
  EXPECT_EQ(mounted->unmount().error(), Errno::io);
  EXPECT_FALSE(called_clean());
}

TEST_F(Ext2Trouble, FreeingNeedsNoMemory) {
  make_image("-b 1024", "4M");
  mount();
  for (const char* name : {"a", "b", "c"}) {
    auto file = make(*top, name);
    for (std::uint64_t at = 0; at < 200'000; at += 20'000) write(*file, at, pattern(3000, 3));
    ASSERT_TRUE(top->unlink(name).ok());
    platform.heap_allocations_left = 0;
    file = {};
    platform.heap_allocations_left = -1;
  }
  write(*make(*top, "next"), 0, pattern(100'000, 4));
  unmount_and_check();
}

TEST_F(Ext2Trouble, TheImageIsCalledCleanOnlyWhenAllElseIsStable) {
  make_image("-b 1024", "4M");
  mount();
  auto file = make(*top, "removed but open");
  write(*file, 0, pattern(50'000, 3));
  ASSERT_TRUE(top->unlink("removed but open").ok());
  disk.keeps_writes = true;
  EXPECT_TRUE(mounted->unmount().ok());
  ASSERT_GE(disk.flushed_at.size(), 2u);
  const std::size_t last = disk.flushed_at.back(), before = *(disk.flushed_at.end() - 2);
  EXPECT_EQ(disk.writes.size(), last);
  EXPECT_EQ(last - before, 1u);
  EXPECT_EQ(disk.writes.back().at, ext2::superblock_offset);
  EXPECT_TRUE(called_clean());
  expect_sound();
  file = {};
}

TEST_F(Ext2Trouble, NothingIsOpenedForWritingOnAReadOnlyDisk) {
  make_image("", "4M");
  mount();
  make(*top, "file");
  ASSERT_TRUE(top->create("pipe", mode_fifo | 0600, 0).ok());
  remount();
  unmount();
  disk.refuses_writes = true;
  mount();
  auto file = look(*top, "file");
  EXPECT_EQ(file->open(guest::abi::o_wronly).error(), Errno::rofs);
  EXPECT_EQ(file->open(guest::abi::o_rdwr).error(), Errno::rofs);
  EXPECT_TRUE(file->open(guest::abi::o_rdonly).ok());
  file = look(*top, "pipe");
  EXPECT_TRUE(file->open(guest::abi::o_rdwr).ok());
  file = {};
  unmount();
}

TEST_F(Ext2Trouble, WhatIsWrittenWithODsyncIsStable) {
  make_image("", "4M");
  mount();
  auto inode = make(*top, "file");
  auto file = inode->open(guest::abi::o_wronly | guest::abi::o_dsync).release();
  const std::string text = pattern(10'000, 8);
  to_user(text);
  ASSERT_EQ(file->write(buffer, 5'000).value(), 5'000u);
  ASSERT_EQ(file->write_at(5'000, buffer + 5'000, 5'000).value(), 5'000u);
  auto [status, output] = fsck("-fp", disk.stable);
  EXPECT_LE(status, 1) << output;
  EXPECT_EQ(dump("/file"), text);
  disk.loses_contents = true;
  EXPECT_EQ(file->write(buffer, 100).error(), Errno::io);
  inode = {};
}

/// In one second and without another size: a small inode's times do not tell.
TEST_F(Ext2Trouble, AProgramThatIsReplacedIsNotRunFromItsOldText) {
  make_image("-I 128", "4M");
  mount();
  auto file = make(*top, "program");
  write(*file, 0, std::string(4096, 'a'));
  MapRequest request;
  request.bytes = vmi::page_size;
  request.protection = vmi::prot_read | vmi::prot_exec;
  request.backing = file;
  const std::uint64_t first = space->map(request).value();
  EXPECT_EQ(platform.load(first), 'a');
  ASSERT_TRUE(space->own_text(first).ok());
  ASSERT_TRUE(space->unmap(first, request.bytes).ok());
  write(*file, 0, std::string(4096, 'b'));
  const std::uint64_t again = space->map(request).value();
  EXPECT_EQ(again, first);
  EXPECT_EQ(platform.load(again), 'b');
  ASSERT_TRUE(space->own_text(again).ok());
  ASSERT_TRUE(space->unmap(again, request.bytes).ok());
  ASSERT_TRUE(file->truncate(0).ok());
  ASSERT_TRUE(file->truncate(4096).ok());
  EXPECT_EQ(platform.load(space->map(request).value()), 0);
  ASSERT_TRUE(space->unmap(again, request.bytes).ok());
  request.backing = file = {};
}

/// That they go from memory shows in what the sanitizer finds left at the end.
TEST_F(Ext2Trouble, AFifoStaysTheSameWhileItIsOpen) {
  make_image("-N 2000", "4M");
  mount();
  ASSERT_TRUE(top->create("pipe", mode_fifo | 0600, 0).ok());
  auto end = look(*top, "pipe")->open(guest::abi::o_rdwr);
  ASSERT_TRUE(end.ok());
  for (int i = 0; i < 1000; ++i) make(*top, ("f" + std::to_string(i)).c_str());
  to_user("text");
  EXPECT_EQ(end.value()->write(buffer, 4).value(), 4u);
  auto other = look(*top, "pipe")->open(guest::abi::o_rdwr);
  ASSERT_TRUE(other.ok());
  to_user("....");
  EXPECT_EQ(other.value()->read(buffer, 4).value(), 4u);
  EXPECT_EQ(from_user(4), "text");
}

}  // namespace
