// Integration: every counter moves in some guest run, and every account is charged where it is
// asked for; what is said twice is the same both times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/tool.h"
#include "vmi/accounts.h"
#include "vmi/shared_info.h"

namespace {

using support::Reported;
using testing::HasSubstr;
using testing::IsEmpty;

/// What no guest that works makes happen; unit tests do (devices_test, address_space_test).
const std::set<std::string> only_by_mistake = {"stray_device_accesses", "faults_remapped"};
const std::set<std::string> only_with_patched_sites = {"upcalls_direct", "upcalls_own_text",
                                                       "sites_patched"};

/// Where more sites are in use than have room: sites_test.cpp.
const std::set<std::string> only_beyond_the_room = {"text_answers_refused", "text_restored",
                                                    "calls_without_room"};

/// The guest kernel needs the attic when it has much to keep; it is there anyway unless it is
/// opened slab by slab.
const std::set<std::string> only_of_the_attic = {"attic_openings", "attic_faults"};

bool patches_sites(const std::string& place) {
  return place.rfind("extended", 0) == 0 && place.find("sigsys") == std::string::npos;
}

Reported run_everything(const std::string& place, std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--memory", "64M", "--summary", "--add",
                           support::program("account_program") + ":/test/account"});
  std::vector<std::string> program = {"/test/account"};
  if (patches_sites(place)) program.emplace_back("patched");
  return support::exec_reported(place, program, more);
}

class Accounts : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(InGuests, Accounts, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(Accounts, EveryCounterMoves) {
  const Reported reported = run_everything(GetParam());
  ASSERT_EQ(reported.run.out, "done\n") << reported.run.describe();
  std::set<std::string> still;
#define X(name) \
  if (reported.outcome.counters.at(#name) == 0) still.insert(#name);
  VMI_COUNTERS(X)
#undef X
  for (const auto& name : only_by_mistake) EXPECT_EQ(still.erase(name), 1u) << name;
  if (!patches_sites(GetParam())) {
    for (const auto& name : only_with_patched_sites) EXPECT_EQ(still.erase(name), 1u) << name;
  }
  for (const auto& name : only_beyond_the_room) EXPECT_EQ(still.erase(name), 1u) << name;
  for (const auto& name : only_of_the_attic) still.erase(name);
  if (GetParam().find("protect=none") != std::string::npos) still.erase("window_openings");
  EXPECT_THAT(still, IsEmpty()) << reported.run.describe();
}

TEST_P(Accounts, SystemCallsAreCountedByNumberAndPath) {
  const Reported reported = run_everything(GetParam());
  const auto& outcome = reported.outcome;
  std::uint64_t calls = 0, trapped = 0;
  for (const auto& [name, account] : outcome.system_calls) {
    EXPECT_LE(account.trapped, account.calls) << name;
    calls += account.calls;
    trapped += account.trapped;
  }
  // But for number 511, which is beyond the table, and for the last call of all.
  const std::uint64_t upcalls = outcome.counters.at("upcalls_syscall");
  EXPECT_NEAR(static_cast<double>(calls), static_cast<double>(upcalls), 2);
  EXPECT_NEAR(static_cast<double>(calls - trapped),
              static_cast<double>(outcome.counters.at("upcalls_direct")), 2);
  EXPECT_EQ(outcome.system_calls.at("wait4").calls, 4u);
  std::uint64_t host_calls = 0;
  for (const auto& [name, times] : outcome.host_calls) host_calls += times;
  EXPECT_GT(host_calls, 0u);
  EXPECT_LE(host_calls, outcome.counters.at("host_calls"));
  EXPECT_THAT(outcome.cycles, IsEmpty());
}

TEST_P(Accounts, EveryAccountIsCharged) {
  const Reported reported = run_everything(GetParam(), {"--account"});
  ASSERT_EQ(reported.run.out, "done\n") << reported.run.describe();
  const auto& outcome = reported.outcome;
#define X(name) EXPECT_GT(outcome.cycles.at(#name), 0u) << #name;
  VMI_ACCOUNTS(X)
#undef X
  std::uint64_t calls = 0;
  for (const auto& [name, account] : outcome.system_calls) {
    EXPECT_GT(account.cycles, 0u) << name;
    calls += account.cycles;
  }
  EXPECT_EQ(calls, outcome.cycles.at("system_calls"));
  EXPECT_GT(outcome.cycles_per_second, 0);
  EXPECT_GT(outcome.shortest_trapped_stay, 0u);
  EXPECT_THAT(reported.run.err, HasSubstr("cycles/call"));
}

/// Slabs of the attic that are opened, boot and all.
std::uint64_t slabs_opened(const std::string& workload, int operations) {
  const Reported reported = support::exec_reported(
      "extended", {"/workloads/micro-" + workload, std::to_string(operations)}, {"--summary"});
  EXPECT_EQ(reported.run.status, 0) << reported.run.describe();
  const auto& counters = reported.outcome.counters;
  return counters.at("attic_openings") + counters.at("attic_faults");
}

TEST(Attic, StaysClosedOnHotPaths) {
  constexpr int few = 1000, many = 20'000;
  constexpr std::uint64_t of_ticks = 10;  // they come by time, not by operations
  for (const char* workload : {"null-syscall", "pipe-switch", "touch-seq"})
    EXPECT_LE(slabs_opened(workload, many), slabs_opened(workload, few) + of_ticks) << workload;
}

TEST(Accounts, AreForGuests) {
  EXPECT_EQ(support::exec("standalone", {"/bin/busybox", "true"}, {"--account"}).status, 2);
}

}  // namespace
