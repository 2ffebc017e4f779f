// ext2 under shared mappings: what reading and writing through them allocates, a disk without room
// for it, and files that grow in a page that is mapped.
#include "tests/unit/guest/ext2_fixture.h"

using namespace guest;
using namespace guest_test;

namespace {

class Ext2Shared : public Ext2Test, public testing::WithParamInterface<int> {
 protected:
  void mount_image(const std::string& size) {
    make_image("-b " + std::to_string(GetParam()) + " -N 16 -m 0", size);
    mount();
  }
  std::uint64_t map(Ref<Inode>& file, std::uint64_t bytes,
                    std::uint32_t protection = vmi::prot_read | vmi::prot_write) {
    MapRequest request;
    request.bytes = bytes;
    request.protection = protection;
    request.shared = true;
    request.backing = file;
    auto at = space->map(request);
    EXPECT_TRUE(at.ok());
    return at.value();
  }
  /// All of the disk but `left` bytes is given to a file "rest", full of 'S' in the image; then
  /// nothing of it is free but what another file with the same contents had.
  void fill_but(std::uint64_t left) {
    to_user(std::string(vmi::page_size, 'S'));
    auto rest = make(*top, "rest"), gone = make(*top, "gone");
    for (std::uint64_t at = 0; at < left; at += vmi::page_size)
      ASSERT_TRUE(gone->write(at, buffer, vmi::page_size).ok());
    const auto unit = static_cast<std::size_t>(GetParam());
    for (std::uint64_t at = 0; rest->write(at, buffer, unit).ok();) at = rest->stat().size;
    ASSERT_TRUE(mounted->sync().ok());
    gone = {};
    ASSERT_TRUE(top->unlink("gone").ok());
    ASSERT_TRUE(mounted->sync().ok());
  }
};
INSTANTIATE_TEST_SUITE_P(Sizes, Ext2Shared, testing::Values(1024, 2048, 4096));

constexpr std::uint64_t pages16 = 16 * vmi::page_size;

TEST_P(Ext2Shared, ReadingAHoleAllocatesNothing) {
  mount_image("1M");
  auto file = make(*top, "file");
  ASSERT_TRUE(file->truncate(pages16).ok());
  fill_but(0);
  const std::uint64_t at = map(file, pages16);
  EXPECT_EQ(platform.load(at), 0);
  EXPECT_EQ(platform.load(at + pages16 - 1), 0);
  EXPECT_EQ(file->stat().blocks512, 0u);
  EXPECT_TRUE(file->sync().ok());
  EXPECT_TRUE(space->unmap(at, pages16).ok());
  file = {};
  unmount_and_check();
}

/// mprotect() gives no page the right to be written behind the file's back.
TEST_P(Ext2Shared, AProtectionThatAllowsWritesAllocatesWhenSomebodyWrites) {
  mount_image("4M");
  auto file = make(*top, "file");
  ASSERT_TRUE(file->truncate(pages16).ok());
  const std::uint64_t at = map(file, pages16, vmi::prot_read);
  EXPECT_EQ(platform.load(at), 0);
  ASSERT_TRUE(space->protect(at, pages16, vmi::prot_read | vmi::prot_write).ok());
  EXPECT_EQ(file->stat().blocks512, 0u);
  platform.store(at + 5000, 'x');
  EXPECT_NE(file->stat().blocks512, 0u);
  EXPECT_TRUE(space->unmap(at, pages16).ok());
  file = {};
  unmount_and_check();
  EXPECT_EQ(dump("/file").substr(4999, 3), std::string("\0x\0", 3));
}

/// Each page that is written takes what it needs, to the last of the room; then there is SIGBUS,
/// and nobody sees what the blocks held before.
TEST_P(Ext2Shared, WritesTakeTheRoomThatIsLeftAndShowNothingElse) {
  mount_image("1M");
  auto file = make(*top, "file");
  ASSERT_TRUE(file->truncate(pages16).ok());
  fill_but(5 * vmi::page_size);
  const std::uint64_t at = map(file, pages16);
  EXPECT_EQ(platform.load(at), 0);
  std::string expected(pages16, '\0');
  int written = 0;
  for (std::uint64_t page = 16; page-- > 0;) {
    try {
      platform.store(at + page * vmi::page_size + 7, 'w');
      expected[page * vmi::page_size + 7] = 'w';
      ++written;
    } catch (const FaultFailed&) {
    }
  }
  EXPECT_GE(written, 3);  // with small blocks a table takes some
  EXPECT_LE(written, 5);
  EXPECT_TRUE(file->sync().ok());
  EXPECT_TRUE(space->unmap(at, pages16).ok());
  EXPECT_EQ(read(*file, 0, pages16), expected);
  file = {};
  unmount_and_check();
  EXPECT_EQ(dump("/file"), expected);
}

/// A file of ten bytes, mapped and written, grows within its page by truncation or by a write;
/// what is stored into the page afterwards is in the image.
TEST_P(Ext2Shared, StoresStayWhenTheFileGrowsInItsLastPage) {
  for (int way = 0; way < 3; ++way) {
    SCOPED_TRACE(way);
    mount_image("4M");
    auto file = make(*top, "file");
    write(*file, 0, "0123456789");
    const std::uint64_t at = map(file, vmi::page_size);
    platform.store(at, 'A');
    const std::uint64_t size = way == 0 ? vmi::page_size : way == 1 ? 4096 : 9000;
    if (way == 0)
      ASSERT_TRUE(file->truncate(size).ok());
    else
      EXPECT_EQ(write(*file, size - 1, "Z"), 1u);
    platform.store(at + 1500, 'B');
    platform.store(at + 2500, 'C');
    EXPECT_TRUE(file->sync().ok());
    EXPECT_TRUE(space->unmap(at, vmi::page_size).ok());
    file = {};
    unmount_and_check();
    std::string expected = "A123456789" + std::string(size - 10, '\0');
    expected[1500] = 'B';
    expected[2500] = 'C';
    if (way > 0) expected[size - 1] = 'Z';
    EXPECT_EQ(dump("/file"), expected);
  }
}

/// Growing in such a page needs room; without it nothing changes.
TEST_P(Ext2Shared, AFileThatCannotGrowInItsMappedPageStays) {
  if (GetParam() == 4096) GTEST_SKIP() << "a page has one block";
  mount_image("1M");
  auto file = make(*top, "file");
  write(*file, 0, "0123456789");
  const std::uint64_t at = map(file, vmi::page_size);
  platform.store(at, 'A');
  fill_but(0);
  EXPECT_EQ(file->truncate(4096).error(), Errno::nospc);
  EXPECT_EQ(file->write(4000, buffer, 1).error(), Errno::nospc);
  EXPECT_EQ(file->stat().size, 10u);
  EXPECT_TRUE(file->sync().ok());
  EXPECT_TRUE(space->unmap(at, vmi::page_size).ok());
  EXPECT_EQ(read(*file, 0, 20), "A123456789");
  file = {};
  unmount_and_check();
}

}  // namespace
