// A machine that is killed leaves a disk with some of the writes on it: e2fsck -p repairs it after
// each single one.
#include "tests/unit/guest/ext2_fixture.h"

using namespace guest;
using namespace guest_test;

namespace {

class Ext2Crash : public Ext2Test {
 protected:
  /// What a busy minute does to a disk: names that come, go and move, blocks and inodes that find
  /// new owners, some of it with a write-back in between and some not.
  void churn(int round) {
    auto text = [&](std::size_t bytes) { return pattern(bytes, static_cast<unsigned>(round)); };
    auto name = [&](const char* stem, int n) { return stem + std::to_string(n); };
    auto a = look(*top, "a"), b = look(*top, "b");
    write(*make(*a, name("file", round).c_str()), 0, text(5'000));
    auto big = make(*a, name("big", round).c_str());
    write(*big, 0, text(40'000));
    write(*big, 300'000, "behind two levels of tables");
    ASSERT_TRUE(a->rename(name("big", round), *b, name("big", round)).ok());
    ASSERT_TRUE(a->symlink(name("link", round), std::string(100, 's')).ok());
    ASSERT_TRUE(b->link(name("hard", round), *look(*a, name("file", round).c_str())).ok());
    auto folder = make(*a, name("folder", round).c_str(), mode_directory | 0755);
    write(*make(*folder, "inside"), 0, "x");
    if (round % 3 == 1) {
      ASSERT_TRUE(mounted->sync().ok());
    }
    ASSERT_TRUE(folder->rename("inside", *b, name("inside", round)).ok());
    folder = {};
    ASSERT_TRUE(a->rmdir(name("folder", round)).ok());
    ASSERT_TRUE(big->truncate(3'000).ok());
    if (round == 0) return;
    big = {};
    ASSERT_TRUE(b->unlink(name("big", round - 1)).ok());
    ASSERT_TRUE(b->unlink(name("hard", round - 1)).ok());
    ASSERT_TRUE(a->rename(name("file", round), *a, name("file", round - 1)).ok());
    ASSERT_TRUE(a->unlink(name("link", round - 1)).ok());
    if (round % 3 == 2) {
      ASSERT_TRUE(mounted->sync().ok());
    }
  }
};

TEST_F(Ext2Crash, AnyFirstPartOfTheWritesCanBeRepaired) {
  make_image("-b 1024 -N 64", "1M");
  mount();
  make(*top, "a", mode_directory | 0755);
  make(*top, "b", mode_directory | 0755);
  ASSERT_TRUE(mounted->sync().ok());
  auto image = disk.image;
  disk.keeps_writes = true;
  for (int round = 0; round < 8; ++round) churn(round);
  unmount_and_check();
  EXPECT_GT(disk.writes.size(), 100u);
  for (std::size_t i = 0; i < disk.writes.size(); ++i) {
    const auto& write = disk.writes[i];
    std::memcpy(&image[write.at], write.bytes.data(), write.bytes.size());
    auto [status, output] = fsck("-p", image);
    ASSERT_LE(status, 1) << "after write " << i << " at " << write.at << ": " << output;
  }
}

}  // namespace
