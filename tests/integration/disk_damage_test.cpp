// Images that are no good: one clear line each, and nothing is written. Damaged ones may be mounted
// for reading, may give errors, but the guest kernel neither panics nor hangs nor writes outside.
#include <sched.h>
#include <sys/mount.h>

#include <random>
#include <thread>

#include "tests/integration/disk_fixture.h"

namespace {

using namespace disk;
using testing::HasSubstr;
using testing::Not;

class DiskDamage : public DiskTest {
 protected:
  /// Refused, and left as it is.
  void expect_refusal(const std::string& words,
                      const Words& places = {"standalone", "baseline", "extended"}) {
    const std::string before = content_of(image_);
    for (const auto& place : places) {
      SCOPED_TRACE(place);
      expect_refused(script(place, "echo x > /x"), words);
    }
    EXPECT_TRUE(content_of(image_) == before);
  }
};

TEST_F(DiskDamage, WhatIsNoImageIsRefused) {
  for (const char* place : {"standalone", "baseline", "extended"})
    expect_refused(script(place, "echo x > /x"), "No such file or directory");
  EXPECT_FALSE(fs::exists(image_));
  std::ofstream(image_) << "";
  expect_refusal("is empty");
  std::ofstream(image_) << std::string(1 << 20, 'x');
  expect_refusal("has no ext2 superblock");
  fs::remove(image_);
  make_image("4M", {"-O", "has_journal,extent"});
  expect_refusal("make it with mke2fs -t ext2", {"baseline", "extended"});
  fs::remove(image_);
  make_image("4M");
  fs::resize_file(image_, 2 << 20);
  expect_refusal("truncated");
}

TEST_F(DiskDamage, AReadOnlyFileIsReadButNotWritten) {
  make_image("4M");
  const std::string before = content_of(image_);
  for (const char* place : {"baseline", "extended"}) {
    auto ran = script(place,
                      "echo x > /x; cat /bin/busybox | wc -c; grep ext2 /proc/mounts;"
                      "for f in / /bin/busybox /tmp; do disk_program access $f; done 2>&1;"
                      "true <>/bin/busybox || echo not opened",
                      {"--read-only"});
    EXPECT_THAT(ran.err, HasSubstr("Read-only file system"));
    EXPECT_THAT(ran.out, HasSubstr(std::to_string(fs::file_size("/bin/busybox"))));
    EXPECT_THAT(ran.out, HasSubstr("/dev/root / ext2 ro,relatime 0 0\n"
                                   "/: Read-only file system\n"
                                   "/bin/busybox: Read-only file system\ndone\nnot opened\n"));
  }
  EXPECT_TRUE(content_of(image_) == before);
}

TEST_F(DiskDamage, MutatedImagesDoNoHarm) {
  fs::create_directory(tree_ / "dir");
  std::ofstream(tree_ / "dir/small") << "small\n";
  fs::create_symlink(std::string(80, 's'), tree_ / "dir/slow");
  make_image("4M");
  const std::string sound = content_of(image_);
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    std::string bytes = sound;
    const std::size_t reach = round % 2 ? 16'384 : 262'144;
    for (int i = 1 + static_cast<int>(random() % 40); i > 0; --i) {
      const std::size_t at = 1024 + random() % reach;
      if (at != 1080 && at != 1081) bytes[at] = static_cast<char>(random());  // the magic number
    }
    // What lies behind the file system in the file is not the guest's.
    const std::string behind(1 << 16, '#');
    std::ofstream(image_, std::ios::binary) << bytes << behind;
    auto ran = script(round % 4 ? "extended" : "baseline",
                      "find / -xdev > /dev/null; cat /dir/* /lost+found/*; cp /bin/busybox /copy;"
                      "rm -r /dir; mkdir /new; echo x > /new/x; sync; echo end",
                      {"--timeout", "60"});
    EXPECT_TRUE(ran.in_time);
    EXPECT_NE(ran.status, 124) << ran.describe();
    EXPECT_THAT(ran.err, Not(HasSubstr("panic"))) << ran.describe();
    const std::string after = content_of(image_);
    ASSERT_EQ(after.size(), bytes.size() + behind.size());
    EXPECT_EQ(after.substr(bytes.size()), behind);
  }
}

/// A host whose disk fills under the image: a small file system, mounted for one thread and what it
/// starts, and gone with them.
class FullHost : public DiskTest, public testing::WithParamInterface<const char*> {
 protected:
  /// False: only root may.
  bool move_image_to_small_disk(std::uint64_t left_bytes) {
    const fs::path small = folder_ / "small", image = small / "image";
    fs::create_directory(small);
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", small.c_str(), "tmpfs", 0, "size=8m") != 0)
      return false;
    EXPECT_EQ(image::run_program({"cp", "--sparse=always", image_, image}).status, 0);
    image_ = image;
    std::ofstream(small / "ballast") << std::string(fs::space(small).available - left_bytes, 'b');
    return true;
  }
};
INSTANTIATE_TEST_SUITE_P(Monitors, FullHost, testing::Values("baseline", "extended"),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(FullHost, IsToldByWhateverWaitsForTheDisk) {
  make_image("12M");
  bool possible = false;
  ToolRun ran;
  std::thread([&] {
    possible = move_image_to_small_disk(256 << 10);
    if (!possible) return;
    ran = run(GetParam(), {"/bin/disk_program", "fill", "/file"});
    EXPECT_LE(image::run_program({"e2fsck", "-fy", image_}).status, 1);
    EXPECT_TRUE(content_of(unpacked() / "file.first") == program_pattern(8192));
  }).join();
  if (!possible) GTEST_SKIP() << "needs to mount a small file system";
  EXPECT_EQ(ran.status, 0) << ran.describe();
  EXPECT_EQ(ran.out,
            "first write: done\nfirst fsync: done\nwrite: done\nfsync: EIO\nO_SYNC write: EIO\n"
            "msync: EIO\ndone\n");
  EXPECT_THAT(ran.err, HasSubstr("not all that was written is on the disk image"));
}

}  // namespace
