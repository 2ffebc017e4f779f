// The words of configurations: parsing, naming, and what a person reads when they are wrong.
#include "monitor/machine/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view text) {
  try {
    Config::parse_list(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Config, DefaultsOfEachVmm) {
  EXPECT_EQ(Config::parse("standalone"), Config{});
  Config baseline = Config::parse("baseline");
  EXPECT_EQ(baseline.trap, Trap::ptrace);
  EXPECT_EQ(baseline.protect, Protect::mmap);
  Config extended = Config::parse("extended");
  EXPECT_EQ(extended.trap, Trap::direct);
  EXPECT_EQ(extended.protect, Protect::mprotect);
  EXPECT_EQ(extended.spaces, Spaces::pool);
  EXPECT_EQ(Config::points(Vmm::baseline).size(), 2u);
  EXPECT_EQ(Config::points(Vmm::extended).front(), extended);
}

TEST(Config, NameGivesTheAxesThatDifferAndParsesBack) {
  for (const char* name : {"standalone", "baseline", "baseline:trap=sysemu", "extended",
                           "extended:trap=sigsys", "extended:protect=none,spaces=remap"}) {
    EXPECT_EQ(Config::parse(name).name(), name);
  }
  EXPECT_EQ(Config::parse("extended:trap=direct,protect=none,spaces=pool").name(),
            "extended:protect=none");
  EXPECT_EQ(Config::parse("extended").axes(), "trap=direct,protect=mprotect,spaces=pool");
}

TEST(Config, ListCommaContinuesAxesOrStartsAnew) {
  auto list = Config::parse_list("baseline,extended:trap=direct,protect=none,standalone,extended");
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[0].name(), "baseline");
  EXPECT_EQ(list[1].name(), "extended:protect=none");
  EXPECT_EQ(list[2].name(), "standalone");
  EXPECT_EQ(list[3].name(), "extended");
}

TEST(Config, RefusalsNameTheWordAndTheRemedy) {
  EXPECT_EQ(refusal("extended:trap=foo"), "unknown trap 'foo' for extended: use direct or sigsys");
  EXPECT_EQ(refusal("extended:protect=pkey"),
            "unknown protect 'pkey' for extended: use mprotect, mmap or none");
  EXPECT_EQ(refusal("extended:protect=mporetct"),
            "unknown protect 'mporetct' for extended: did you mean mprotect?");
  EXPECT_EQ(refusal("baseline:trap=sigsys"),
            "unknown trap 'sigsys' for baseline: use ptrace or sysemu");
  EXPECT_THAT(refusal("extendde"), HasSubstr("'extendde': did you mean extended?"));
  EXPECT_THAT(refusal("extended:speed=9"), HasSubstr("unknown axis 'speed'"));
  EXPECT_THAT(refusal("extended:none"), HasSubstr("'none' is not of the form axis=value"));
  EXPECT_THAT(refusal("extended:"), HasSubstr("'' is not of the form"));
  EXPECT_THAT(refusal("extended:trap=sigsys,trap=sigsys"), HasSubstr("given twice"));
  EXPECT_THAT(refusal("baseline,baseline:trap=ptrace"), HasSubstr("given twice"));
  EXPECT_THAT(refusal("standalone:protect=none"), HasSubstr("standalone has no axes"));
  EXPECT_THAT(refusal(""), HasSubstr("unknown configuration ''"));
  EXPECT_THAT(refusal("protect=none"), HasSubstr("unknown configuration 'protect=none'"));
  EXPECT_THAT(refusal("baseline,"), HasSubstr("unknown configuration ''"));
}

TEST(Config, PromiseTellsUnprotectedApart) {
  EXPECT_THAT(Config::parse("extended:protect=none").promise(),
              HasSubstr("unprotected, upper bound"));
  EXPECT_THAT(Config::parse("extended").promise(), HasSubstr("hostile"));
  EXPECT_THAT(Config::parse("baseline").promise(), HasSubstr("hostile"));
}

}  // namespace
}  // namespace monitor
