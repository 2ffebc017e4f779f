// Limits of control groups, in made-up trees of /proc and /sys: both versions, nested, in
// containers that see all of the host's paths or none.
#include "monitor/host/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "machines/kinds.h"
#include "monitor/host/check.h"
#include "monitor/tool/error.h"

namespace monitor {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

constexpr std::uint64_t mib = 1 << 20;
constexpr const char* unlimited_v1 = "9223372036854771712\n";

class Cgroup : public testing::Test {
 protected:
  Cgroup() {
    char name[] = "/tmp/cgroup-test-XXXXXX";
    root_ = mkdtemp(name);
    put("/proc/self/cgroup", "");
    put("/proc/self/mountinfo", "");
  }
  ~Cgroup() override { fs::remove_all(root_); }

  void put(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path, std::ios::app) << text;
  }
  void be_in(const std::string& line) const { put("/proc/self/cgroup", line + "\n"); }
  void mount_v2(const std::string& part = "/", const std::string& at = "/sys/fs/cgroup") const {
    put("/proc/self/mountinfo",
        "30 23 0:26 " + part + " " + at + " rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void mount_v1(const std::string& controllers, const std::string& part = "/") const {
    put("/proc/self/mountinfo", "35 31 0:32 " + part + " /sys/fs/cgroup/" + controllers +
                                    " rw,relatime - cgroup cgroup rw," + controllers + "\n");
  }
  void limit_v2(const std::string& group, const std::string& limit, std::uint64_t used,
                const std::string& stat = "") const {
    const std::string folder = "/sys/fs/cgroup" + group + "/";
    put(folder + "memory.max", limit + "\n");
    put(folder + "memory.current", std::to_string(used) + "\n");
    put(folder + "memory.stat", stat);
  }
  void limit_v1(const std::string& group, const std::string& limit, std::uint64_t used,
                const std::string& stat = "") const {
    const std::string folder = "/sys/fs/cgroup/memory" + group + "/";
    put(folder + "memory.limit_in_bytes", limit + "\n");
    put(folder + "memory.usage_in_bytes", std::to_string(used) + "\n");
    put(folder + "memory.stat", stat);
  }
  std::optional<CgroupMemory> memory() const { return cgroup_memory(root_); }

  std::string root_;
};

TEST_F(Cgroup, NoneIsNoLimit) {
  EXPECT_FALSE(memory());
  EXPECT_TRUE(std::isinf(cgroup_cpus(root_)));
  fs::remove_all(root_ + "/proc");
  EXPECT_FALSE(memory());
}

TEST_F(Cgroup, Version2ItsOwnLimit) {
  mount_v2();
  be_in("0::/work/job");
  limit_v2("/work/job", std::to_string(512 * mib), 100 * mib);
  ASSERT_TRUE(memory());
  EXPECT_EQ(memory()->limit, 512 * mib);
  EXPECT_EQ(memory()->left, 412 * mib);
  EXPECT_THAT(memory()->file, EndsWith("/sys/fs/cgroup/work/job/memory.max"));
}

TEST_F(Cgroup, Version2TheLevelThatLeavesLeastCounts) {
  mount_v2();
  be_in("0::/a/b/c");
  limit_v2("/a/b/c", "max", 10 * mib);
  limit_v2("/a/b", std::to_string(900 * mib), 100 * mib);
  limit_v2("/a", std::to_string(1000 * mib), 700 * mib);  // others are in it, too
  ASSERT_TRUE(memory());
  EXPECT_EQ(memory()->left, 300 * mib);
  EXPECT_THAT(memory()->file, EndsWith("/cgroup/a/memory.max"));
}

TEST_F(Cgroup, Version2InANamespaceIsTheMountItself) {
  mount_v2();
  be_in("0::/");
  limit_v2("", std::to_string(64 * mib), 0);
  ASSERT_TRUE(memory());
  EXPECT_EQ(memory()->left, 64 * mib);
}

TEST_F(Cgroup, APathOfTheHostsInAContainerThatSeesOnlyItsPart) {
  mount_v2("/docker/0123");
  be_in("0::/docker/0123/inner");
  limit_v2("", std::to_string(80 * mib), 0);
  limit_v2("/inner", std::to_string(70 * mib), 0);
  ASSERT_TRUE(memory());
  EXPECT_EQ(memory()->left, 70 * mib);
}

TEST_F(Cgroup, AGroupOutsideOfWhatIsMounted) {
  mount_v2();
  be_in("0::/../other");
  limit_v2("", std::to_string(80 * mib), 0);
  ASSERT_TRUE(memory());
  EXPECT_EQ(memory()->left, 80 * mib);
}

TEST_F(Cgroup, Version1Nested) {
  mount_v1("cpu,cpuacct");
  mount_v1("memory");
  be_in("5:cpu,cpuacct:/");
  be_in("4:memory:/pod/one");
  be_in("0::/");
  limit_v1("", unlimited_v1, 0);
  limit_v1("/pod", std::to_string(400 * mib), 300 * mib);
  limit_v1("/pod/one", std::to_string(200 * mib), 50 * mib);
  ASSERT_TRUE(memory());
  EXPECT_EQ(memory()->left, 100 * mib);
  EXPECT_THAT(memory()->file, EndsWith("/memory/pod/memory.limit_in_bytes"));
}

TEST_F(Cgroup, Version1AboveWhatIsMounted) {
  mount_v1("memory", "/docker/9");
  be_in("4:memory:/docker/9");
  limit_v1("", unlimited_v1, 20 * mib,
           "cache 5\nhierarchical_memory_limit " + std::to_string(128 * mib) + "\n");
  ASSERT_TRUE(memory());
  EXPECT_EQ(memory()->left, 108 * mib);
}

TEST_F(Cgroup, BothVersionsAtOnce) {
  mount_v1("memory");
  mount_v2("/", "/sys/fs/cgroup/unified");
  be_in("4:memory:/a");
  be_in("0::/b");
  limit_v1("/a", std::to_string(90 * mib), 0);
  ASSERT_TRUE(memory());
  EXPECT_EQ(memory()->left, 90 * mib);
}

TEST_F(Cgroup, WhatThePageCacheHoldsIsLeft) {
  mount_v2();
  be_in("0::/a");
  limit_v2("/a", std::to_string(100 * mib), 95 * mib,
           "anon 1\nactive_file " + std::to_string(20 * mib) + "\ninactive_file " +
               std::to_string(30 * mib) + "\n");
  EXPECT_EQ(memory()->left, 55 * mib);
  mount_v1("memory");
  be_in("4:memory:/b");
  limit_v1("/b", std::to_string(60 * mib), 59 * mib,
           "inactive_file 7\ntotal_inactive_file " + std::to_string(9 * mib) + "\n");
  EXPECT_EQ(memory()->left, 10 * mib);
}

TEST_F(Cgroup, OverItsLimitIsNothingLeft) {
  mount_v2();
  be_in("0::/a");
  limit_v2("/a", std::to_string(10 * mib), 20 * mib);
  EXPECT_EQ(memory()->left, 0u);
}

TEST_F(Cgroup, SharesOfCpus) {
  mount_v2();
  be_in("0::/a/b");
  put("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(cgroup_cpus(root_), 0.5);
  mount_v1("cpu,cpuacct");
  be_in("5:cpu,cpuacct:/x");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  put("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "20000\n");
  put("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cgroup_cpus(root_), 0.2);
}

TEST(CgroupFinding, NamesTheLimitAndTheRemedy) {
  const CgroupMemory tight{"/sys/fs/cgroup/a/memory.max", 512 * mib, 200 * mib};
  const Finding no = judge_cgroup(tight, 1024 * mib);
  EXPECT_EQ(no.verdict, Verdict::no);
  EXPECT_THAT(no.value, AllOf(HasSubstr("512 MiB"), HasSubstr("200 MiB"), HasSubstr("1024 MiB")));
  EXPECT_THAT(no.remedy, AllOf(HasSubstr("/sys/fs/cgroup/a/memory.max"), HasSubstr("--memory")));
  EXPECT_EQ(judge_cgroup(tight, 64 * mib).verdict, Verdict::yes);
  EXPECT_EQ(judge_cgroup(std::nullopt, 1024 * mib).verdict, Verdict::yes);
}

TEST(CgroupFinding, IsAskedForBeforeAGuestRuns) {
  for (const auto& found : examine_host(64 << 20)) {
    if (found.name != "cgroup memory") continue;
    EXPECT_TRUE(found.concerns(machines::parse("baseline")));
    EXPECT_TRUE(found.concerns(machines::parse("extended")));
    return;
  }
  FAIL() << "doctor does not look";
}

}  // namespace
}  // namespace monitor
