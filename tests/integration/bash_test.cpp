// Integration: Debian's bash, coreutils, findutils, grep, sed and gawk, unmodified and dynamically
// linked, run the scripts beside this file in a guest. Output and status must be the host's.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/dynamic_programs.h"
#include "tests/support/tool.h"

namespace {

using support::ToolRun;

ToolRun run_script(const std::string& place, const std::string& name) {
  static const std::vector<std::string> programs = support::add_programs(support::shell_programs());
  std::vector<std::string> more = {
      "--memory",           "256M",  "--timeout",  "140",   "--env",
      "PATH=/usr/bin:/bin", "--env", "HOME=/root", "--env", "LC_ALL=C"};
  more.insert(more.end(), programs.begin(), programs.end());
  more.insert(more.end(), {"--add", TYPETWO_TEST_SCRIPTS "/" + name + ".sh:/script/" + name});
  return support::exec(place, {"/script/" + name}, more);
}

class Bash : public testing::TestWithParam<std::tuple<const char*, std::string>> {};

TEST_P(Bash, ScriptDoesWhatItDoesOnTheHost) {
  const auto& [name, place] = GetParam();
  if (geteuid() != 0 && (std::string(name) == "files" || std::string(name) == "commands"))
    GTEST_SKIP() << "needs root: it gives files away";
  const ToolRun host = run_script("standalone", name), guest = run_script(place, name);
  ASSERT_FALSE(host.out.empty()) << host.describe();
  EXPECT_EQ(guest.status, host.status) << guest.describe();
  EXPECT_EQ(guest.out, host.out);
  EXPECT_EQ(guest.err, host.err);
}

INSTANTIATE_TEST_SUITE_P(Scripts, Bash,
                         testing::Combine(testing::Values("pipes", "language", "signals", "files",
                                                          "text", "commands"),
                                          testing::Values("baseline", "extended")),
                         [](const auto& info) {
                           return support::test_name(std::string(std::get<0>(info.param)) + "_on_" +
                                                     std::get<1>(info.param));
                         });

TEST(DynamicPrograms, WantTheirLibraries) {
  const ToolRun run = support::exec("extended", {"/bin/ls"},
                                    {"--memory", "64M", "--add", "/bin/ls:/bin/ls", "--add",
                                     "/lib64/ld-linux-x86-64.so.2:/lib64/ld-linux-x86-64.so.2"});
  EXPECT_EQ(run.status, 127) << run.describe();
  EXPECT_NE(run.err.find("error while loading shared libraries"), std::string::npos) << run.err;
}

}  // namespace
