// More call sites than a monitor that patches them has room for: counted and said, once; and once
// much was wasted on them, room is made again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/tool.h"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

support::Reported run(const std::string& program, const std::string& place) {
  return support::exec_reported(place, {"/test/" + program},
                                {"--memory", "64M", "--timeout", "120", "--add",
                                 support::program(program) + ":/test/" + program});
}

TEST(CallSites, BeyondTheRoomAreCountedAndSaid) {
  const auto [many, outcome] = run("many_sites", "extended");
  EXPECT_EQ(many.status, 0) << many.describe();
  EXPECT_GE(outcome.counters.at("sites_patched"), 16000u + 1920u);
  EXPECT_GT(outcome.counters.at("calls_without_room"), 5000u);
  EXPECT_EQ(outcome.counters.at("text_restored"), 0u);
  EXPECT_EQ(outcome.counters.at("text_answers_refused"), 0u);
  EXPECT_THAT(outcome.warnings, ElementsAre(HasSubstr("more call sites were in use")));
}

TEST(CallSites, GetRoomAgainWhenMuchWasWasted) {
  const auto [crowd, outcome] = run("crowded_sites", "extended");
  EXPECT_EQ(crowd.status, 0) << crowd.describe();
  EXPECT_EQ(outcome.counters.at("text_restored"), 1u);
  EXPECT_GT(outcome.counters.at("sites_patched"), 1920u);
}

/// What the hostile program is about has happened: ten times, one for each time it asks for it.
TEST(CallSites, AreRestoredUnderAHostileProgram) {
  const auto [guest, outcome] = run("restored_sites", "extended");
  EXPECT_EQ(guest.status, 0) << guest.describe();
  EXPECT_EQ(guest.out, run("restored_sites", "standalone").run.out);
  EXPECT_EQ(outcome.counters.at("text_restored"), 10u);
  EXPECT_GT(outcome.counters.at("sites_patched"), 10u * 1920u);
}

TEST(CallSites, AreNoMatterWithoutPatches) {
  const auto [crowd, outcome] = run("many_sites", "extended:trap=sigsys");
  EXPECT_EQ(crowd.status, 0) << crowd.describe();
  EXPECT_EQ(outcome.counters.at("calls_without_room"), 0u);
  EXPECT_THAT(outcome.warnings, IsEmpty());
}

}  // namespace
