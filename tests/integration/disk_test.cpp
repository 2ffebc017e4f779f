// Guests on a disk, in both monitors: what programs do to an ext2 image is what the host's
// e2fsprogs then find in it; also when the disk is full, memory is short, or the tool is killed.
#include "tests/integration/disk_fixture.h"

namespace {

using namespace disk;
using testing::HasSubstr;
using testing::Not;

class Disk : public DiskTest, public testing::WithParamInterface<const char*> {
 protected:
  [[nodiscard]] std::string place() const { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Monitors, Disk, testing::Values("baseline", "extended"),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(Disk, FilesLinksAndDirectories) {
  make_image("8M");
  const std::string longer(100, 'l'), deep = "/d/1/2/3/4/5/6/7/8/9/10/11/12";
  auto ran =
      script(place(),
             "set -e; cd /; echo one > a; echo two >> a; echo gone > b;"
             "cp bin/busybox copy; dd if=/bin/busybox of=cut bs=1000 count=900 2>/dev/null;"
             "truncate -s 100001 cut; truncate -s 200000 cut;"
             "dd if=/bin/busybox of=holes bs=4096 count=3 seek=1500 2>/dev/null;"
             "dd if=/bin/busybox of=holes bs=4096 count=1 seek=20 conv=notrunc 2>/dev/null;"
             "ln a hard; ln -s a fast; ln -s " +
                 longer +
                 " slow;"
                 "echo new > c; mv c b; mkdir gone dir; rmdir gone; mkdir -p " +
                 deep +
                 ";"
                 "echo deep > " +
                 deep +
                 "/file; mv d dir/moved; mkfifo pipe;"
                 "mkdir many; i=0; while [ $i -lt 500 ]; do : > many/name-$i; i=$((i+1)); done;"
                 "i=0; while [ $i -lt 500 ]; do rm many/name-$i; i=$((i+7)); done;"
                 "ls many | wc -l; stat -c %h a; chmod 640 a");
  EXPECT_EQ(ran.status, 0) << ran.describe();
  EXPECT_EQ(ran.out, "428\n2\n");
  EXPECT_EQ(ran.err, "");
  expect_sound();
  const auto root = unpacked();
  const std::string busybox = content_of("/bin/busybox");
  EXPECT_EQ(content_of(root / "a"), "one\ntwo\n");
  EXPECT_EQ(fs::status(root / "a").permissions(), fs::perms(0640));
  EXPECT_TRUE(fs::equivalent(root / "a", root / "hard"));
  EXPECT_EQ(fs::read_symlink(root / "fast"), "a");
  EXPECT_EQ(fs::read_symlink(root / "slow"), longer);
  EXPECT_EQ(content_of(root / "b"), "new\n");
  EXPECT_TRUE(content_of(root / "copy") == busybox);
  EXPECT_TRUE(content_of(root / "cut") == busybox.substr(0, 100'001) + std::string(99'999, '\0'));
  std::string holes(1503 * 4096, '\0');
  holes.replace(1500 * 4096, 3 * 4096, busybox, 0, 3 * 4096);
  holes.replace(20 * 4096, 4096, busybox, 0, 4096);
  EXPECT_TRUE(content_of(root / "holes") == holes);
  EXPECT_EQ(content_of(root / "dir/moved/1/2/3/4/5/6/7/8/9/10/11/12/file"), "deep\n");
  EXPECT_FALSE(fs::exists(root / "gone"));
  EXPECT_TRUE(fs::is_fifo(root / "pipe"));
  auto many = fs::directory_iterator(root / "many");
  EXPECT_EQ(std::distance(begin(many), end(many)), 428);
}

TEST_P(Disk, ABigFileThroughDoubleIndirectBlocks) {
  make_image("24M", {"-b", "1024"});  // beyond 268 KiB tables are two levels deep
  auto ran = script(place(),
                    "for i in 1 2 3 4; do cat /bin/busybox; done > /big; cp /big /two; rm /two;"
                    "dd if=/bin/busybox of=/big bs=100k seek=30 conv=notrunc 2>/dev/null;"
                    "md5sum < /big");
  EXPECT_EQ(ran.status, 0) << ran.describe();
  expect_sound();
  const std::string busybox = content_of("/bin/busybox");
  std::string big = busybox + busybox + busybox + busybox;
  big.replace(30 * 102'400, busybox.size(), busybox);
  EXPECT_TRUE(content_of(unpacked() / "big") == big);
  auto sum = image::run_program({"md5sum", folder_ / "unpacked/big"});
  EXPECT_EQ(ran.out.substr(0, 32), sum.out.substr(0, 32));
}

TEST_P(Disk, AFullOneSaysSoAndStaysSound) {
  make_image("6M", {"-N", "64"});
  auto ran = script(place(),
                    "cat /dev/zero > /fill; for i in 1 2 3; do echo x > /t$i; done; mkdir /dir;"
                    "i=0; while [ $i -lt 100 ]; do echo > /s$i; i=$((i+1)); done 2>/dev/null;"
                    "rm /fill; cp /bin/busybox /later; cmp /bin/busybox /later && echo alive");
  EXPECT_THAT(ran.err, HasSubstr("No space left on device"));
  EXPECT_EQ(ran.out, "alive\n");
  expect_sound();
}

TEST_P(Disk, NeedsNoMountPointsInTheImage) {
  make_image("4M");
  auto ran = script(place(),
                    "ls /; echo x > /tmp/y; cat /tmp/y; echo z > /dev/null; ls -d /proc/self;"
                    "rmdir /dev || mv /tmp /x || mkdir /proc; cd /tmp; pwd; cat /proc/mounts");
  EXPECT_THAT(ran.out, HasSubstr("bin\ndev\nlost+found\nproc\nsys\ntmp\nx\n/proc/self\n/tmp\n"));
  EXPECT_THAT(ran.out, HasSubstr("/dev/root / ext2 rw,relatime 0 0\n"));
  EXPECT_THAT(ran.out, HasSubstr("tmpfs /tmp tmpfs rw,relatime 0 0\n"));
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 3) << ran.err;
  expect_sound();
  EXPECT_FALSE(fs::exists(unpacked() / "tmp"));
}

TEST_P(Disk, SharedMappingsReachTheImage) {
  make_image("8M");
  auto ran = run(place(), {"/bin/disk_program", "unmapped", "/file"});
  EXPECT_EQ(ran.out, "done\n") << ran.describe();
  expect_sound();
  EXPECT_TRUE(content_of(unpacked() / "file") == program_pattern(300'000));
  const Words line = exec_line(place(), {"/bin/disk_program", "mapped", "/other"});
  EXPECT_EQ(kill_after(line, "synced\n", image_), "synced\n");
  repair();
  EXPECT_TRUE(content_of(unpacked() / "other") == program_pattern(300'000));
}

TEST_P(Disk, AllThatNamesItsNumberAgrees) {
  make_image("4M");
  auto ran = run(place(), {"/bin/disk_program", "numbers", "/bin/busybox"});
  EXPECT_EQ(ran.out, "8:0 8:0 8:0\ndone\n") << ran.describe();
}

TEST_P(Disk, WhatWasFsyncedSurvivesAKill) {
  make_image("8M");
  const Words line = exec_line(place(), {"/bin/disk_program", "append", "/log"});
  const std::string said = kill_after(line, "\n40\n", image_);
  ASSERT_THAT(said, HasSubstr("\n40\n"));
  // Until somebody repairs it, it is for reading only.
  auto ran = script(place(), "echo x > /new; wc -c < /log");
  EXPECT_THAT(ran.err, HasSubstr("run e2fsck -p on it"));
  EXPECT_THAT(ran.err, HasSubstr("Read-only file system"));
  EXPECT_EQ(ran.status, 0) << ran.describe();
  repair();
  // The last line may not have left the tool when it was killed.
  const auto records = static_cast<std::size_t>(std::count(said.begin(), said.end(), '\n'));
  const std::string log = content_of(unpacked() / "log");
  ASSERT_GE(log.size(), records * 4096);
  EXPECT_TRUE(log == program_pattern(log.size()));
  EXPECT_EQ(script(place(), "echo x > /new && cat /new").out, "x\n");
  expect_sound();
}

TEST_P(Disk, SyncIsEnoughForEverythingBefore) {
  make_image("8M");
  const Words line = exec_line(
      place(), {"/bin/busybox", "sh", "-c",
                "mkdir /d; cp /bin/busybox /d/copy; rm /bin/disk_program; sync; echo synced;"
                "while :; do cp /bin/busybox /d/more; rm /d/more; done"});
  EXPECT_EQ(kill_after(line, "synced\n", image_), "synced\n");
  repair();
  EXPECT_TRUE(content_of(unpacked() / "d/copy") == content_of("/bin/busybox"));
  EXPECT_FALSE(fs::exists(folder_ / "unpacked/bin/disk_program"));
}

TEST_P(Disk, AKillAtAnyTimeCanBeRepaired) {
  make_image("8M", {"-b", "1024"});
  const std::string sound = content_of(image_);
  const Words line = exec_line(
      place(), {"/bin/busybox", "sh", "-c",
                "cd /; mkdir a b; n=0; while :; do echo $n > a/x; head -c $((n*9999%300000)) "
                "/bin/busybox > a/big; mv a/big b/big; mv a/x b/y$((n%5)); truncate -s 9000 b/big;"
                "mkdir a/d; echo q > a/d/q; mv a/d/q b/q$((n%3)); rmdir a/d; rm -f b/y$((n%4));"
                "echo $n; n=$((n+1)); done"});
  for (const char* until : {"\n3\n", "\n8\n", "\n15\n"}) {
    SCOPED_TRACE(until);
    std::ofstream(image_, std::ios::binary) << sound;
    kill_after(line, until, image_);
    repair();
  }
}

TEST_P(Disk, CachedPagesMakeRoomForMemory) {
  std::string big(20 << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 2654435761u >> 13);
  std::ofstream(tree_ / "big", std::ios::binary) << big;
  make_image("48M");
  memory_ = "16M";
  auto ran = script(place(),
                    "md5sum /big; /bin/disk_program memory 8; md5sum /big; cp /big /copy;"
                    "/bin/disk_program memory 9; md5sum /copy");
  const std::string sum = image::run_program({"md5sum", tree_ / "big"}).out.substr(0, 32);
  EXPECT_EQ(ran.out, sum + "  /big\ndone\n" + sum + "  /big\ndone\n" + sum + "  /copy\n")
      << ran.describe();
  expect_sound();
}

/// The same program that memory's file system passes, in a directory on a disk.
class OnDisk : public DiskTest,
               public testing::WithParamInterface<std::tuple<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(
    Programs, OnDisk,
    testing::Combine(testing::Values("truncation", "truncated_elsewhere", "transfers"),
                     testing::Values("baseline", "extended", "extended:spaces=remap")),
    [](const auto& info) {
      return support::test_name(std::string(std::get<0>(info.param)) + "_on_" +
                                std::get<1>(info.param));
    });

TEST_P(OnDisk, BehavesAsInMemory) {
  const auto [topic, place] = GetParam();
  fs::copy_file(support::program(topic), tree_ / "bin" / topic);
  for (const char* block : {"1024", "4096"}) {
    SCOPED_TRACE(block);
    make_image("16M", {"-b", block});
    auto ran = script(place, std::string("cd / && exec /bin/") + topic);
    EXPECT_EQ(ran.status, 0) << ran.describe();
    expect_sound();
  }
}

TEST_F(DiskTest, StandaloneRunsAnImageWithoutMountPoints) {
  make_image("4M");
  auto ran = script("standalone",
                    "ls /; echo x > /tmp/y; cat /tmp/y; echo z > /dev/null; ls -d /proc/self");
  EXPECT_EQ(ran.out, "bin\ndev\nlost+found\nproc\ntmp\nx\n/proc/self\n") << ran.describe();
  EXPECT_EQ(ran.err, "");
  EXPECT_FALSE(fs::exists(image_ + ".tree/root/tmp"));
}

}  // namespace
