// What workloads do on the host before and after all launches.
#include "workloads/harness/preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "monitor/tool/error.h"

namespace harness {
namespace {

namespace fs = std::filesystem;

class Prepared : public testing::Test {
 protected:
  Prepared() {
    char name[] = "/tmp/preparation-test-XXXXXX";
    folder_ = mkdtemp(name);
    workload_.info.name = "made-up";
    workload_.folder = folder_;
    workload_.prepare = {"mkdir", "{prepared}/tree"};
    workload_.clean_up = {"mkdir", "{folder}/cleaned"};
    plan_.workloads = {&workload_};
  }
  ~Prepared() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string scratch() const { return folder_ + "/scratch"; }
  [[nodiscard]] bool cleaned() const { return fs::exists(folder_ + "/cleaned"); }

  std::string folder_;
  Workload workload_;
  Plan plan_;
};

TEST_F(Prepared, TheFolderIsThereUntilTheEnd) {
  {
    const Preparation preparation(plan_, scratch());
    EXPECT_TRUE(fs::exists(plan_.prepared.at(&workload_) + "/tree"));
    EXPECT_FALSE(cleaned());
  }
  EXPECT_TRUE(cleaned());
  EXPECT_TRUE(fs::is_empty(scratch()));
}

TEST_F(Prepared, WhatCannotBePreparedIsSaidAndNothingIsLeft) {
  workload_.prepare = {"ls", "{prepared}/no-such-file"};
  Workload other = workload_;
  other.prepare.clear();
  plan_.workloads = {&other, &workload_};
  try {
    const Preparation preparation(plan_, scratch());
    FAIL();
  } catch (const monitor::HostError& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("no-such-file"), testing::HasSubstr("made-up")));
  }
  EXPECT_TRUE(cleaned());
  EXPECT_TRUE(fs::is_empty(scratch()));
}

TEST_F(Prepared, WhatAKilledRunLeftGoesAndAnotherRunsStays) {
  fs::create_directories(scratch() + "/made-up-1/tree");
  const image::ScratchFolder other(scratch() + "/made-up-2");
  const Preparation preparation(plan_, scratch());
  EXPECT_FALSE(fs::exists(scratch() + "/made-up-1"));
  EXPECT_TRUE(fs::exists(scratch() + "/made-up-2"));
}

}  // namespace
}  // namespace harness
