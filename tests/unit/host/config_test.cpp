// The words of configurations: parsing, naming, and what a person reads when they are wrong.
#include "machines/kinds.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "baseline-vmm/kind.h"
#include "extended-vmm/kind.h"
#include "monitor/tool/error.h"

namespace monitor {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view text) {
  try {
    machines::parse_list(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Config, DefaultsOfEachKind) {
  EXPECT_EQ(machines::parse("standalone"), machines::standalone());
  const Config baseline = machines::parse("baseline"), extended = machines::parse("extended");
  EXPECT_EQ(baseline.axes(), "trap=ptrace,protect=mmap,spaces=remap");
  EXPECT_EQ(extended.axes(), "trap=direct,protect=mprotect,spaces=pool");
  EXPECT_EQ(machines::points(baseline::kind).size(), 2u);
  EXPECT_EQ(machines::points(extended::kind).size(), 12u);
  EXPECT_EQ(machines::points(extended::kind).front(), extended);
}

TEST(Config, EachMonitorReadsItsOwnValues) {
  EXPECT_EQ(baseline::trap_of(machines::parse("baseline")), baseline::Trap::ptrace);
  EXPECT_EQ(baseline::trap_of(machines::parse("baseline:trap=sysemu")), baseline::Trap::sysemu);
  for (const Config& config : machines::points(extended::kind)) {
    const auto [trap, protect, spaces] = extended::point_of(config);
    EXPECT_EQ(config.axes(),
              fmt::format("trap={},protect={},spaces={}",
                          trap == extended::Trap::direct ? "direct" : "sigsys", protect.word,
                          spaces == extended::Spaces::pool ? "pool" : "remap"));
    EXPECT_EQ(config.traits().contains, std::string(protect.word) != "none");
    EXPECT_EQ(config.needs(Need::huge_window), std::string(protect.word) != "none");
  }
}

TEST(Config, AnOverviewMovesEachAxisAlone) {
  std::vector<std::string> names;
  for (const Config& config : machines::overview()) names.push_back(config.name());
  EXPECT_THAT(names,
              testing::ElementsAre("standalone", "baseline", "baseline:trap=sysemu", "extended",
                                   "extended:trap=sigsys", "extended:protect=mmap",
                                   "extended:protect=none", "extended:spaces=remap"));
}

TEST(Config, NameGivesTheAxesThatDifferAndParsesBack) {
  for (const char* name : {"standalone", "baseline", "baseline:trap=sysemu", "extended",
                           "extended:trap=sigsys", "extended:protect=none,spaces=remap"}) {
    EXPECT_EQ(machines::parse(name).name(), name);
  }
  EXPECT_EQ(machines::parse("extended:trap=direct,protect=none,spaces=pool").name(),
            "extended:protect=none");
  EXPECT_EQ(machines::parse("extended").axes(), "trap=direct,protect=mprotect,spaces=pool");
}

TEST(Config, ListCommaContinuesAxesOrStartsAnew) {
  auto list =
      machines::parse_list("baseline,extended:trap=direct,protect=none,standalone,extended");
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
  EXPECT_THAT(refusal("standalone:protect=none"),
              HasSubstr("standalone has no axes: it is the host itself"));
  EXPECT_THAT(refusal(""), HasSubstr("unknown configuration ''"));
  EXPECT_THAT(refusal("protect=none"), HasSubstr("unknown configuration 'protect=none'"));
  EXPECT_THAT(refusal("baseline,"), HasSubstr("unknown configuration ''"));
}

TEST(Config, PromiseTellsUnprotectedApart) {
  EXPECT_THAT(machines::parse("extended:protect=none").traits().promise,
              HasSubstr("unprotected, upper bound"));
  EXPECT_THAT(machines::parse("extended").traits().promise, HasSubstr("hostile"));
  EXPECT_THAT(machines::parse("baseline").traits().promise, HasSubstr("hostile"));
}

}  // namespace
}  // namespace monitor
