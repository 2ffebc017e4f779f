// Integration: the table of system calls that the tool prints, and the guest's trace of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "guest/syscall/table.h"
#include "tests/support/tool.h"

namespace {

using support::ToolRun;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Syscalls, PrintsTheKernelsOwnTable) {
  std::size_t calls = 0;
#define X(number, name, support, note) ++calls;
  GUEST_SYSCALLS(X)
#undef X
  const ToolRun json = support::run_tool({"syscalls", "--format", "json"});
  EXPECT_EQ(json.status, 0);
  const auto table = nlohmann::json::parse(json.out);
  EXPECT_EQ(table["syscalls"].size(), calls);
  EXPECT_EQ(table["full"].get<std::size_t>() + table["partly"].get<std::size_t>() +
                table["refused"].get<std::size_t>(),
            calls);
  EXPECT_THAT(support::run_tool({"syscalls"}).out,
              AllOf(HasSubstr("  0  read               full\n"),
                    HasSubstr(std::to_string(calls) + " system calls: ")));
  EXPECT_THAT(support::run_tool({"syscalls", "--format", "markdown"}).out,
              HasSubstr("| 0 | `read` | full |"));
  EXPECT_EQ(support::run_tool({"syscalls", "--format", "xml"}).status, 2);
}

class Strace : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Guests, Strace, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(Strace, ShowsNamesArgumentsAndResults) {
  const ToolRun run = support::exec(
      GetParam(), {"/bin/busybox", "sh", "-c", "echo hi | cat; cat /absent; kill -TERM $$"},
      {"--memory", "64M", "--strace"});
  EXPECT_EQ(run.status, 143) << run.describe();
  EXPECT_EQ(run.out, "hi\n");
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("[2] pipe2([3, 4], 0"), HasSubstr("[3] write(1, \"hi\\n\", 3) = 3\n"),
                    HasSubstr("[4] read(0, \"hi\\n\", "), HasSubstr("\"/absent\", O_RDONLY"),
                    HasSubstr(" = -1 ENOENT\n"), HasSubstr("[3] exit_group(0) = ?\n"),
                    HasSubstr("[3] +++ exited with 0 +++\n"), HasSubstr("[2] --- SIGTERM ---\n"),
                    HasSubstr("[2] +++ killed by SIGTERM +++\n")));
}

TEST_P(Strace, IsSilentUnlessAsked) {
  const ToolRun run = support::exec(GetParam(), {"/bin/busybox", "true"}, {"--memory", "64M"});
  EXPECT_EQ(run.err, "");
}

TEST(StraceWords, StandaloneHasTheHostsOwn) {
  const ToolRun run = support::exec("standalone", {"/bin/sh"}, {"--strace"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("--strace is for guests"), Not(HasSubstr("\n\n"))));
}

}  // namespace
