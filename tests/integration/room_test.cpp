// Integration: how much a guest has room for: processes, open files, mappings, files in memory,
// cached inodes; what it says beyond that, and that it goes on when the hogs have ended.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/disk_fixture.h"
#include "tests/support/tool.h"

namespace {

using support::ToolRun;
using testing::HasSubstr;

/// room_program's words, one run after the other in a shell that must go on working.
ToolRun run(const std::string& place, const std::string& memory,
            const std::vector<std::string>& commands) {
  std::string script;
  for (const auto& command : commands) script += command + "; ";
  script += "rm -rf /tmp/*; ls /tmp | wc -l; echo works";
  return support::exec(place, {"/bin/busybox", "sh", "-c", script},
                       {"--memory", memory, "--timeout", "100", "--add",
                        support::program("room_program") + ":/room"});
}

/// The number behind the last "NAME " at the beginning of a line; -1: none.
long count_of(const ToolRun& run, const std::string& name) {
  const std::size_t at = ("\n" + run.out).rfind("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stol(run.out.substr(at + name.size() + 1));
}

TEST(Room, ForFiveHundredProcessesThatSleepInDifferentCalls) {
  const ToolRun one = run("extended", "1G", {"/room processes 500 8"});
  EXPECT_EQ(count_of(one, "processes"), 500) << one.describe();
  EXPECT_EQ(count_of(one, "sound"), 500);
  EXPECT_THAT(one.out, HasSubstr("0\nworks\n"));
}

TEST(Room, ForAThousandThreads) {
  for (const char* place : {"extended", "baseline"}) {
    const ToolRun one = run(place, "1G", {"/room threads 1000 3", "/room threads 50 3"});
    EXPECT_THAT(one.out, HasSubstr("threads 1000\nsound 1000\n")) << place << one.describe();
    EXPECT_THAT(one.out, HasSubstr("threads 50\nsound 50\n0\nworks\n")) << place;
  }
}

TEST(Room, EndsForThreadsWithAnErrno) {
  const ToolRun one = run("extended", "256M", {"/room threads 1400 3"});
  EXPECT_THAT(one.out, HasSubstr("over: EAGAIN\n")) << one.describe();
  EXPECT_EQ(count_of(one, "sound"), count_of(one, "threads"));
  EXPECT_THAT(one.out, HasSubstr("0\nworks\n"));
}

TEST(Room, ForTwoHundredProcessesWhateverKeepsThem) {
  for (const char* place : {"baseline", "extended:protect=mmap", "extended:protect=none",
                            "extended:spaces=remap", "extended:trap=sigsys"}) {
    const ToolRun one = run(place, "256M", {"/room processes 200 3"});
    EXPECT_EQ(count_of(one, "processes"), 200) << one.describe();
    EXPECT_EQ(count_of(one, "sound"), 200) << place;
  }
}

TEST(Room, ForTwentyThousandOpenFiles) {
  const ToolRun one = run("extended", "1G", {"/room files 20000", "/room files 30000"});
  EXPECT_THAT(one.out, HasSubstr("files 20000\n")) << one.describe();
  EXPECT_GT(count_of(one, "files"), 20000);
  EXPECT_THAT(one.out, HasSubstr("over: ENFILE\n"));
  EXPECT_EQ(count_of(one, "again"), 1);
}

TEST(Room, ForSixtyThousandMappings) {
  const ToolRun one = run("extended", "1G", {"/room mappings 60000", "/room mappings 70000"});
  EXPECT_THAT(one.out, HasSubstr("mappings 60000\n")) << one.describe();
  EXPECT_GT(count_of(one, "mappings"), 65000);
  EXPECT_LT(count_of(one, "mappings"), 65532);
  EXPECT_THAT(one.out, HasSubstr("over: ENOMEM\n"));
}

TEST(Room, ForTwentyThousandFilesInMemory) {
  const ToolRun one = run("extended", "1G", {"/room inodes 20000"});
  EXPECT_THAT(one.out, HasSubstr("inodes 20000\n")) << one.describe();
  EXPECT_THAT(one.out, HasSubstr("\n0\nworks\n"));
}

TEST(Room, ForEightThousandLocks) {
  for (const char* memory : {"64M", "1G"}) {
    const ToolRun one = run("extended", memory, {"/room locks 8000", "/room locks 10000"});
    EXPECT_GT(count_of(one, "locks"), 8000) << memory << one.describe();
    EXPECT_THAT(one.out, HasSubstr("over: ENOLCK\n"));
    EXPECT_THAT(one.out, HasSubstr("locks 8000\n"));
  }
}

TEST(Room, ForFourMegabytesOfAttributes) {
  const ToolRun one = run("extended", "1G", {"/room attributes 60", "/room attributes 100"});
  EXPECT_GT(count_of(one, "attributes"), 60) << one.describe();
  EXPECT_THAT(one.out, HasSubstr("over: ENOSPC\n"));
  EXPECT_THAT(one.out, HasSubstr("attributes 60\n"));
}

TEST(Room, MoreMemoryIsNeverLessRoom) {
  long before[3] = {0, 0, 0};
  for (const char* memory : {"64M", "1G", "2G"}) {
    const ToolRun one = run("extended", memory,
                            {"/room processes 600 3", "/room files 30000", "/room inodes 70000"});
    EXPECT_THAT(one.out, HasSubstr("0\nworks\n")) << memory << one.describe();
    const long now[3] = {count_of(one, "processes"), count_of(one, "files"),
                         count_of(one, "inodes")};
    for (int i = 0; i < 3; ++i) {
      EXPECT_GE(now[i], before[i]) << memory << ", " << i;
      before[i] = now[i];
    }
  }
}

TEST(Room, IsThereAgainWhenAHogHasEnded) {
  for (const char* memory : {"64M", "1G"}) {
    // The shell waits without opening or starting anything: there is no room for that.
    const ToolRun one =
        run("extended", memory,
            {"trap told=yes USR1; /room hog > /dev/null & while [ -z $told ]; do :; done",
             "kill -9 -1", "wait", "rm -rf /tmp/d*", "/room processes 50 2"});
    EXPECT_EQ(count_of(one, "processes"), 50) << memory << one.describe();
    EXPECT_EQ(count_of(one, "sound"), 50) << memory;
    EXPECT_THAT(one.out, HasSubstr("0\nworks\n")) << memory;
  }
}

TEST(Room, ForOthersWhileManySleepWithMuchKernelMemory) {
  for (const char* place : {"extended", "baseline"})
    for (const auto& [call, sleepers] :
         {std::pair{"poll", 60}, {"sendfile", 200}, {"open", 300}, {"setgroups", 60}}) {
      const ToolRun one = run(place, "1G", {fmt::format("/room sleepers {} {}", call, sleepers)});
      EXPECT_EQ(count_of(one, "works"), 10) << place << ", " << call << one.describe();
      EXPECT_EQ(count_of(one, "asleep"), sleepers) << place << ", " << call;
    }
}

/// Each of them is looked at whenever it is due, at each tick of the clock.
TEST(Room, ForOthersWhileTimersRing) {
  for (const char* place : {"extended", "extended:protect=none"}) {
    const ToolRun one = run(place, "256M", {"trap : TERM; /room timers 60"});
    EXPECT_GT(count_of(one, "timers"), 1000) << place << one.describe();
    EXPECT_THAT(one.out, HasSubstr("over: EAGAIN\n"));
    EXPECT_EQ(count_of(one, "naps"), 20) << place;
  }
}

std::uint64_t attic_entries(const char* processes) {
  const auto reported = support::exec_reported(
      "extended", {"/room", "processes", processes, "5"},
      {"--memory", "1G", "--add", support::program("room_program") + ":/room"});
  EXPECT_EQ(reported.run.status, 0) << reported.run.describe();
  const auto& counters = reported.outcome.counters;
  return counters.at("attic_openings") + counters.at("attic_faults");
}

TEST(Room, InTheAtticIsNotTouchedByAFew) {
  EXPECT_EQ(attic_entries("40"), 0u);
  EXPECT_GT(attic_entries("100"), 0u);
}

/// A disk with more files than inodes are kept in memory.
class RoomOnDisk : public disk::DiskTest {};

TEST_F(RoomOnDisk, ForFindInFortyThousandFiles) {
  constexpr int folders = 40, in_each = 1000;
  for (int i = 0; i < folders * in_each; ++i) {
    const auto folder = tree_ / "many" / std::to_string(i / in_each);
    if (i % in_each == 0) std::filesystem::create_directories(folder);
    std::ofstream(folder / std::to_string(i));
  }
  make_image("128M", {"-N", "50000"});
  for (const char* memory : {"64M", "1G"}) {
    memory_ = memory;
    // Each file's inode is looked at: twice, and in between others work.
    const ToolRun one = script("extended",
                               "find /many -type f -size 0 | wc -l; echo a > /x; sync; "
                               "find /many -type f -size 0 | wc -l; grep Slab /proc/meminfo");
    EXPECT_THAT(one.out, testing::StartsWith("40000\n40000\nSlab:")) << memory << one.describe();
    const std::size_t slab = one.out.find("Slab:");
    ASSERT_NE(slab, std::string::npos);
    EXPECT_LT(std::stol(one.out.substr(slab + 5)), 24 * 1024);  // KiB
  }
  expect_sound();
}

}  // namespace
