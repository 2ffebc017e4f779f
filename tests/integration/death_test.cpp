// A guest kernel that dies is reported with its message, registers and stack, and is no hang. The
// crash is asked for as on Linux, through /proc/sysrq-trigger.
#include <gtest/gtest.h>

#include "tests/support/tool.h"

namespace {

class Death : public testing::TestWithParam<std::string> {};

TEST_P(Death, IsReportedWithRegistersAndStack) {
  const auto [run, outcome] = support::exec_reported(
      GetParam(),
      {"/bin/busybox", "sh", "-c", "echo before; echo c > /proc/sysrq-trigger; echo after"},
      {"--memory", "64M"});
  EXPECT_EQ(run.status, 125) << run.describe();
  EXPECT_EQ(run.out, "before\n");
  for (const char* word :
       {"crash asked for through /proc/sysrq-trigger", "rip", "r15", "guest kernel stack",
        "guest::panic(char const*)", "sys_write", "handle_upcall"})
    EXPECT_NE(run.err.find(word), std::string::npos) << word << " is missing in\n" << run.err;
  EXPECT_NE(outcome.failure.find("guest kernel stack"), std::string::npos) << outcome.failure;
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Death, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

}  // namespace
