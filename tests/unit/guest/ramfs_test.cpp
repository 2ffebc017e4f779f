// The RAM file system: contents, holes, growth, names, links and the rules of rename.
#include "guest/abi/file_flags.h"
#include "tests/unit/guest/fs_fixture.h"

namespace guest {
namespace {

class RamFsTest : public guest_test::FsTest {};

constexpr std::uint64_t page = vmi::page_size;

TEST_F(RamFsTest, ReadsBackWhatWasWritten) {
  auto file = make(*root, "a");
  EXPECT_EQ(write(*file, 0, "hello world"), 11u);
  EXPECT_EQ(read(*file, 6, 100), "world");
  EXPECT_EQ(read(*file, 11, 100), "");
  EXPECT_EQ(file->stat().size, 11u);
  EXPECT_EQ(file->stat().blocks512, 8u);
}

TEST_F(RamFsTest, OverwritesInPlaceAcrossPages) {
  auto file = make(*root, "a");
  write(*file, 0, std::string(3 * page, 'x'));
  write(*file, page - 2, "1234");
  EXPECT_EQ(read(*file, page - 4, 8), "xx1234xx");
  EXPECT_EQ(file->stat().size, 3 * page);
}

TEST_F(RamFsTest, HolesReadAsZerosAndTakeNoFrames) {
  auto file = make(*root, "a");
  write(*file, 100 * page + 5, "end");
  EXPECT_EQ(file->stat().blocks512, 8u);
  EXPECT_EQ(read(*file, 100 * page + 3, 10), std::string("\0\0end", 5));
  EXPECT_EQ(read(*file, 50 * page, 4), std::string(4, '\0'));
}

TEST_F(RamFsTest, WhatLiesBehindTheEndNeverComesBack) {
  auto file = make(*root, "a");
  write(*file, 0, std::string(2 * page, 's'));
  ASSERT_TRUE(file->truncate(10).ok());
  ASSERT_TRUE(file->truncate(page + 10).ok());
  EXPECT_EQ(read(*file, 0, 12), std::string(10, 's') + std::string(2, '\0'));
  EXPECT_EQ(read(*file, page, 10), std::string(10, '\0'));
  ASSERT_TRUE(file->truncate(4).ok());
  write(*file, 8, "new");
  EXPECT_EQ(read(*file, 0, 20), std::string("ssss\0\0\0\0new", 11));
}

TEST_F(RamFsTest, RecycledFramesShowNothingOfTheirPast) {
  {
    auto old = make(*root, "old");
    write(*old, 0, std::string(64 * page, 'S'));
    ASSERT_TRUE(root->unlink("old").ok());
  }
  auto file = make(*root, "new");
  write(*file, 0, "x");
  write(*file, page + 100, "y");
  write(*file, 40 * page, "z");
  write(*file, 20 * page + 7, "w");
  for (std::uint64_t at = 0; at < file->stat().size; at += page)
    EXPECT_EQ(read(*file, at, page).find('S'), std::string::npos) << at;
  auto run = file->pages(40, Frames(1));
  ASSERT_TRUE(run.ok());
  for (std::uint64_t i = 1; i < page; ++i) EXPECT_EQ(platform.frame(run.value().first)[i], 0) << i;
}

TEST_F(RamFsTest, AppendingLittleByLittleGivesFewRuns) {
  auto file = make(*root, "a");
  for (int i = 0; i < 200; ++i) write(*file, i * 1000, std::string(1000, static_cast<char>(i)));
  auto run = file->pages(0, Frames(1000));
  ASSERT_TRUE(run.ok());
  EXPECT_GE(run.value().count.number, 32u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(read(*file, i * 1000, 1)[0], static_cast<char>(i));
}

TEST_F(RamFsTest, FramesTakenAheadGoBackAtClose) {
  auto file = make(*root, "a");
  for (int i = 0; i < 70; ++i) write(*file, i * page, std::string(page, 'x'));
  { auto opened = file->open(abi::o_wronly); }
  EXPECT_EQ(file->stat().blocks512, 70u * 8);
}

TEST_F(RamFsTest, AllFramesComeBack) {
  // The first use of the buffer takes frames of its own.
  to_user(std::string(8 * page, ' '));
  std::uint32_t before = frames_free().number;
  {
    auto file = make(*root, "a");
    write(*file, 0, std::string(8 * page, 'x'));
    EXPECT_LT(frames_free().number, before);
    ASSERT_TRUE(root->unlink("a").ok());
    EXPECT_EQ(read(*file, 0, 1), "x") << "an unlinked file lives while it is in use";
    EXPECT_EQ(file->stat().links, 0u);
  }
  EXPECT_EQ(frames_free().number, before);
}

TEST_F(RamFsTest, FullMemoryIsENOSPCAndLeavesProgramsSome) {
  auto file = make(*root, "a");
  std::uint64_t at = 0;
  to_user(std::string(buffer_bytes, 'x'));
  for (;; at += buffer_bytes) {
    auto written = file->write(at, buffer, buffer_bytes);
    if (!written.ok()) {
      EXPECT_EQ(written.error(), Errno::nospc);
      break;
    }
    if (written.value() < buffer_bytes) break;
    ASSERT_LT(at, frames * page);
  }
  EXPECT_EQ(frames_free().number, frames / 32);
}

TEST_F(RamFsTest, BadBufferIsEFAULTAndChangesNoSize) {
  auto file = make(*root, "a");
  EXPECT_EQ(file->write(0, UserAddress{0x1000}, 10).error(), Errno::fault);
  EXPECT_EQ(file->stat().size, 0u);
  write(*file, 0, "abc");
  EXPECT_EQ(file->read(0, UserAddress{0x1000}, 3).error(), Errno::fault);
}

TEST_F(RamFsTest, PagesBehindTheEndCannotBeMapped) {
  auto file = make(*root, "a");
  write(*file, 0, "abc");
  EXPECT_TRUE(file->pages(0, Frames(16)).ok());
  EXPECT_EQ(file->pages(1, Frames(16)).error(), Errno::io);
}

TEST_F(RamFsTest, ThousandsOfNamesInOneDirectory) {
  constexpr int many = 4000;
  for (int i = 0; i < many; ++i) make(*root, ("file-" + std::to_string(i)).c_str());
  for (int i = 0; i < many; i += 2)
    ASSERT_TRUE(root->unlink("file-" + std::to_string(i)).ok()) << i;
  for (int i = 0; i < many; ++i)
    ASSERT_EQ(root->lookup("file-" + std::to_string(i)).ok(), i % 2 == 1) << i;
}

TEST_F(RamFsTest, ListingGoesOnWhileEntriesGo) {
  for (int i = 0; i < 100; ++i) make(*root, std::to_string(i).c_str());
  std::uint64_t position = 0;
  int seen = 0;
  for (;;) {
    auto entry = root->entry(position);
    if (!entry.ok()) break;
    std::string name(entry.value().name);
    if (name == "." || name == "..") continue;
    EXPECT_EQ(name, std::to_string(seen++));
    ASSERT_TRUE(root->unlink(name).ok());
  }
  EXPECT_EQ(seen, 100);
}

TEST_F(RamFsTest, LinkCountsAreLinuxs) {
  auto directory = make(*root, "d", mode_directory | 0755);
  EXPECT_EQ(directory->stat().links, 2u);
  EXPECT_EQ(root->stat().links, 3u);
  auto file = make(*directory, "f");
  EXPECT_EQ(file->stat().links, 1u);
  ASSERT_TRUE(root->link("g", *file).ok());
  EXPECT_EQ(file->stat().links, 2u);
  EXPECT_EQ(root->link("h", *directory).error(), Errno::perm);
  EXPECT_EQ(root->rmdir("d").error(), Errno::notempty);
  ASSERT_TRUE(directory->unlink("f").ok());
  ASSERT_TRUE(root->rmdir("d").ok());
  EXPECT_EQ(root->stat().links, 2u);
  EXPECT_EQ(directory->create("late", mode_regular, 0).error(), Errno::noent);
}

TEST_F(RamFsTest, UnlinkAndRmdirTellFilesFromDirectories) {
  make(*root, "d", mode_directory | 0755);
  make(*root, "f");
  EXPECT_EQ(root->unlink("d").error(), Errno::isdir);
  EXPECT_EQ(root->rmdir("f").error(), Errno::notdir);
  EXPECT_EQ(root->unlink("none").error(), Errno::noent);
  EXPECT_EQ(root->create("f", mode_regular, 0).error(), Errno::exist);
}

TEST_F(RamFsTest, RenameMovesAndReplaces) {
  auto a = make(*root, "a");
  auto b = make(*root, "b");
  auto directory = make(*root, "d", mode_directory | 0755);
  ASSERT_TRUE(root->rename("a", *directory, "x").ok());
  EXPECT_EQ(directory->lookup("x").value(), a);
  EXPECT_FALSE(root->lookup("a").ok());
  ASSERT_TRUE(root->rename("b", *directory, "x").ok());
  EXPECT_EQ(directory->lookup("x").value(), b);
  EXPECT_EQ(a->stat().links, 0u);
}

TEST_F(RamFsTest, RenameBetweenLinksOfOneFileDoesNothing) {
  auto a = make(*root, "a");
  ASSERT_TRUE(root->link("b", *a).ok());
  ASSERT_TRUE(root->rename("a", *root, "b").ok());
  EXPECT_TRUE(root->lookup("a").ok());
  EXPECT_EQ(a->stat().links, 2u);
}

TEST_F(RamFsTest, RenameOfDirectories) {
  auto a = make(*root, "a", mode_directory | 0755);
  auto below = make(*a, "below", mode_directory | 0755);
  auto empty = make(*root, "empty", mode_directory | 0755);
  auto full = make(*root, "full", mode_directory | 0755);
  make(*full, "f");
  make(*root, "file");
  EXPECT_EQ(root->rename("a", *below, "x").error(), Errno::inval);
  EXPECT_EQ(root->rename("a", *a, "x").error(), Errno::inval);
  EXPECT_EQ(root->rename("a", *root, "full").error(), Errno::notempty);
  EXPECT_EQ(root->rename("a", *root, "file").error(), Errno::notdir);
  EXPECT_EQ(root->rename("file", *root, "a").error(), Errno::isdir);
  ASSERT_TRUE(root->rename("a", *root, "empty").ok());
  EXPECT_EQ(root->lookup("empty").value(), a);
  EXPECT_EQ(empty->stat().links, 0u);
  ASSERT_TRUE(a->rename("below", *root, "top").ok());
  EXPECT_EQ(below->parent().value().get(), root.get());
  EXPECT_EQ(a->stat().links, 2u);
  EXPECT_EQ(root->stat().links, 5u);  // its own two; full, empty, top
}

TEST_F(RamFsTest, FailedAllocationsLeaveADirectoryAsItWas) {
  for (int i = 0; i < 12; ++i) make(*root, std::to_string(i).c_str());
  for (int allowed = 0; allowed < 4; ++allowed) {
    platform.heap_allocations_left = allowed;
    auto made = root->rename("0", *root, "a name that is new and long enough");
    platform.heap_allocations_left = -1;
    if (made.ok()) break;
    EXPECT_EQ(made.error(), Errno::nomem);
    EXPECT_TRUE(root->lookup("0").ok());
  }
}

}  // namespace
}  // namespace guest
