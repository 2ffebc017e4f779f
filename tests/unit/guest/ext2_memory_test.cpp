// ext2's page cache and the rest of memory: files larger than it, anonymous memory that takes what
// the cache can do without, and pages that are in use and stay.
#include "tests/unit/guest/ext2_fixture.h"

using namespace guest;
using namespace guest_test;

namespace {

ext2::FileSystem* to_reclaim_from = nullptr;

class Ext2Memory : public Ext2Test {
 protected:
  static constexpr std::size_t file_bytes = 10 << 20;  // of 8 MiB of memory

  Ext2Memory() {
    auto tree = folder / "tree";
    std::filesystem::create_directory(tree);
    std::ofstream(tree / "big", std::ios::binary) << text;
    make_image("-d " + tree.string(), "24M");
    mount();
    to_reclaim_from = mounted;
    frames_set_reclaimer([](Frames wanted) { to_reclaim_from->drop_pages(wanted.number); });
    big = look(*top, "big");
  }
  ~Ext2Memory() override { big = {}; }

  void read_all(Inode& file) {
    for (std::size_t at = 0; at < file_bytes; at += buffer_bytes) {
      auto got = file.read(at, buffer, buffer_bytes);
      ASSERT_TRUE(got.ok()) << at;
      ASSERT_EQ(got.value(), buffer_bytes);
      ASSERT_EQ(from_user(64), text.substr(at, 64));
    }
  }
  /// Touches so many pages of anonymous memory, and finds what it left there.
  void use_memory(std::uint64_t pages) {
    MapRequest request;
    request.bytes = pages * vmi::page_size;
    request.protection = vmi::prot_read | vmi::prot_write;
    auto at = space->map(request);
    ASSERT_TRUE(at.ok());
    for (std::uint64_t i = 0; i < pages; ++i)
      platform.store(at.value() + i * vmi::page_size, static_cast<std::uint8_t>(i));
    for (std::uint64_t i = 0; i < pages; ++i)
      ASSERT_EQ(platform.load(at.value() + i * vmi::page_size), static_cast<std::uint8_t>(i));
    ASSERT_TRUE(space->unmap(at.value(), request.bytes).ok());
  }

  const std::string text = pattern(file_bytes, 17);
  Ref<Inode> big;
};

TEST_F(Ext2Memory, AFileLargerThanMemoryPassesThrough) {
  read_all(*big);
  read_all(*big);
  auto copy = make(*top, "copy");
  to_user(text.substr(0, buffer_bytes));
  for (std::size_t at = 0; at < file_bytes; at += buffer_bytes)
    ASSERT_TRUE(copy->write(at, buffer, buffer_bytes).ok());
  copy = big = {};
  unmount_and_check();
  const std::string copied = dump("/copy");
  ASSERT_EQ(copied.size(), file_bytes);
  for (std::size_t at = 0; at < file_bytes; at += buffer_bytes)
    EXPECT_EQ(copied.compare(at, buffer_bytes, text, 0, buffer_bytes), 0) << at;
}

TEST_F(Ext2Memory, AnonymousMemoryTakesWhatIsCached) {
  read_all(*big);
  EXPECT_LT(frames_free().number, frames / 2);
  use_memory(frames * 3 / 4);
  // Changed pages too: they are written first.
  write(*big, 5'000'000, "changed");
  use_memory(frames * 3 / 4);
  EXPECT_EQ(read(*big, 4'999'999, 8), text[4'999'999] + std::string("changed"));
  big = {};
  unmount_and_check();
  EXPECT_EQ(dump("/big").substr(5'000'000, 7), "changed");
}

TEST_F(Ext2Memory, MappedPagesStay) {
  MapRequest request;
  request.bytes = 64 * vmi::page_size;
  request.protection = vmi::prot_read | vmi::prot_write;
  request.shared = true;
  request.backing = big;
  request.offset = 1 << 20;
  auto at = space->map(request);
  ASSERT_TRUE(at.ok());
  platform.store(at.value() + 70'000, 'x');
  const vmi::Frame frame = platform.mappings.at(at.value() + 17 * vmi::page_size).frame;
  use_memory(frames * 3 / 4);
  frames_reclaim(Frames(frames));
  EXPECT_EQ(frame_references(frame), 2u);
  // With nothing to be had from the file there is no use in writing it.
  disk.keeps_writes = true;
  frames_reclaim(Frames(frames));
  EXPECT_EQ(disk.writes.size(), 0u);
  platform.store(at.value() + 70'001, 'y');
  EXPECT_EQ(read(*big, (1 << 20) + 70'000, 2), "xy");
  ASSERT_TRUE(space->unmap(at.value(), request.bytes).ok());
  frames_reclaim(Frames(frames));
  EXPECT_EQ(read(*big, (1 << 20) + 70'000, 2), "xy");
  request.backing = big = {};
  unmount_and_check();
  EXPECT_EQ(dump("/big").substr((1 << 20) + 70'000, 2), "xy");
}

}  // namespace
