// Runs each conformance program natively (the oracle) and at points of both monitors, and
// compares status and output. The programs check themselves; the comparison catches what they
// print on purpose (arithmetic) and what they could not have foreseen.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "tests/support/cases.h"
#include "tests/support/dynamic_programs.h"
#include "tests/support/tool.h"

namespace {

using support::ToolRun;

ToolRun run(const std::string& topic, const std::string& place) {
  std::vector<std::string> options = {"--memory", "64M", "--timeout", "120"};
  if (topic == "dynamic_programs") {
    // At its own path, beside its library; it opens one more by itself.
    const std::string path = support::program(topic);
    auto files = support::add_programs({path, "/lib/x86_64-linux-gnu/libm.so.6"});
    options.insert(options.end(), files.begin(), files.end());
    return support::exec(place, {path}, options);
  }
  const std::string guest_path = "/test/" + topic;
  options.insert(options.end(), {"--add", support::program(topic) + ":" + guest_path});
  return support::exec(place, {guest_path}, options);
}

const ToolRun& native(const std::string& topic) {
  static std::map<std::string, ToolRun> known;
  auto found = known.find(topic);
  if (found == known.end()) found = known.emplace(topic, run(topic, "standalone")).first;
  return found->second;
}

class Conformance : public testing::TestWithParam<support::Case> {};

TEST_P(Conformance, BehavesAsTheHostDoes) {
  const auto& [topic, place] = GetParam();
  if (geteuid() != 0 && topic == "identity") GTEST_SKIP() << "needs root: it becomes other users";
  const ToolRun& oracle = native(topic);
  ASSERT_EQ(oracle.status, 0) << "natively: " << oracle.describe();
  const ToolRun guest = run(topic, place);
  EXPECT_EQ(guest.status, 0) << guest.describe();
  EXPECT_EQ(guest.out, oracle.out);
}

INSTANTIATE_TEST_SUITE_P(All, Conformance,
                         testing::ValuesIn(support::cases(support::topics_of(TYPETWO_TOPICS),
                                                          support::every_point())),
                         [](const auto& info) { return support::case_name(info.param); });

}  // namespace
