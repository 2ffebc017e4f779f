// Unit: names that a person may have meant.
#include "monitor/tool/nearest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using monitor::nearest;
using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string_view> names = {"null-syscall", "touch-seq", "touch-rand", "shell",
                                             "pread-4k",     "ladder",    "run"};

TEST(Nearest, FindsSlipsOfThePen) {
  EXPECT_THAT(nearest("nul-syscall", names), ElementsAre("null-syscall"));
  EXPECT_THAT(nearest("lader", names), ElementsAre("ladder"));
  EXPECT_THAT(nearest("shlel", names), ElementsAre("shell"));
  EXPECT_THAT(nearest("rum", names), ElementsAre("run"));
}

TEST(Nearest, FindsNamesCutShort) {
  EXPECT_THAT(nearest("touch", names), ElementsAre("touch-seq", "touch-rand"));
}

TEST(Nearest, FindsNothingInOtherWords) {
  EXPECT_THAT(nearest("frobnicate", names), IsEmpty());
  EXPECT_THAT(nearest("", names), IsEmpty());
  EXPECT_THAT(nearest("x", names), IsEmpty());
  EXPECT_THAT(nearest(std::string(100'000, 'x'), names), IsEmpty());
}

TEST(Nearest, SaysWhatItFound) {
  EXPECT_EQ(monitor::unknown("workload", "touch-ran", names),
            "unknown workload 'touch-ran': did you mean touch-rand?");
  EXPECT_EQ(monitor::unknown("trap", "x", {"a", "b"}, " for y"),
            "unknown trap 'x' for y: use a or b");
}

}  // namespace
