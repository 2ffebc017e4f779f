// What doctor says of load, frequency, core and hypervisor, by made-up files of a host.
#include "machines/kinds.h"
#include "monitor/host/noise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace monitor {
namespace {

using testing::HasSubstr;

class HostNoise : public testing::Test {
 protected:
  HostNoise() {
    char name[] = "/tmp/host-noise-XXXXXX";
    root_ = mkdtemp(name);
    host_.proc = root_ / "proc";
    host_.cpus = root_ / "cpus";
    host_.guest_cpu = 3;
    say(host_.proc / "loadavg", "0.10 0.2 0.3 1/100 1234");
    say(host_.proc / "stat", "cpu  100 0 100 800 0 0 0 0 0 0");
    say(cpu() / "cpufreq/scaling_governor", "performance");
    say(cpu() / "topology/thread_siblings_list", "3");
  }
  ~HostNoise() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] std::filesystem::path cpu() const { return host_.cpus / "cpu3"; }
  static void say(const std::filesystem::path& file, const char* text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  [[nodiscard]] Finding found(const std::string& name) const {
    for (auto& finding : examine_noise(host_))
      if (finding.name == name) return finding;
    ADD_FAILURE() << "nothing about " << name;
    return {};
  }

  std::filesystem::path root_;
  NoiseSources host_;
};

TEST_F(HostNoise, AQuietHostNeedsNoRemedy) {
  for (const Finding& finding : examine_noise(host_)) {
    EXPECT_EQ(finding.verdict, Verdict::yes) << finding.name;
    EXPECT_TRUE(finding.remedy.empty()) << finding.remedy;
    EXPECT_FALSE(finding.concerns(machines::parse("extended")));
  }
}

TEST_F(HostNoise, EachCauseHasARemedy) {
  say(host_.proc / "loadavg", "2.50 0.2 0.3 1/100 1234");
  say(host_.proc / "stat", "cpu  100 0 100 700 0 0 0 100 0 0");
  say(cpu() / "cpufreq/scaling_governor", "powersave");
  say(cpu() / "topology/thread_siblings_list", "1,3");
  for (const char* name : {"load", "steal", "CPU frequency", "CPU core"}) {
    EXPECT_EQ(found(name).verdict, Verdict::slow) << name;
    EXPECT_FALSE(found(name).remedy.empty()) << name;
  }
  EXPECT_THAT(found("load").value, HasSubstr("2.50"));
  EXPECT_THAT(found("steal").value, HasSubstr("10.00 %"));
  EXPECT_THAT(found("CPU core").value, HasSubstr("1,3"));
}

TEST_F(HostNoise, WhatTheHostDoesNotSayIsNoFault) {
  std::filesystem::remove_all(root_);
  for (const Finding& finding : examine_noise(host_)) EXPECT_EQ(finding.verdict, Verdict::yes);
}

TEST_F(HostNoise, AVirtualMachineIsSaid) {
  host_.hypervisor = "KVM";
  EXPECT_THAT(found("machine").value, HasSubstr("KVM"));
}

}  // namespace
}  // namespace monitor
