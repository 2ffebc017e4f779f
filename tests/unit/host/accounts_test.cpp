// The accounts: who pays for what, and what the launcher makes of them afterwards.
#include "vmi/accounts.h"

#include <gtest/gtest.h>

#include "monitor/guest/memory.h"

namespace monitor {
namespace {

TEST(CollectCounters, NamesTheAccounts) {
  GuestMemory memory(vmi::ram_min);
  vmi::Accounts& accounts = memory.accounts();
  accounts.calls[0] = 7, accounts.trapped[0] = 2;
  accounts.cycles[vmi::Accounts::system_call(0)] = 100;
  accounts.cycles[vmi::Accounts::system_call(39)] = 11;
  accounts.cycles[vmi::account_user] = 5000;
  memory.shared_info().count_host_call(9);
  memory.shared_info().count_host_call(0x7477);  // no number of the host's
  memory.shared_info().time = {
      .base_tsc = 0, .monotonic_ns = 0, .realtime_ns = 0, .mult = 1, .shift = 1};
  Outcome outcome;
  collect_counters(memory, outcome);
  EXPECT_TRUE(outcome.cycles.empty()) << "nobody asked";
  EXPECT_EQ(outcome.host_calls, (std::map<std::string, std::uint64_t>{{"mmap", 1}}));
  EXPECT_EQ(outcome.counters["host_calls"], 2u);
  EXPECT_EQ(outcome.system_calls.at("read"), (SystemCallAccount{7, 2, 100}));
  memory.boot_info().options = vmi::boot_account;
  collect_counters(memory, outcome);
  EXPECT_EQ(outcome.cycles.at("user"), 5000u);
  EXPECT_EQ(outcome.cycles.at("system_calls"), 111u);
  EXPECT_EQ(outcome.cycles_per_second, 2e9);
}

TEST(Accounts, EachCycleIsPaidOnce) {
  vmi::Accounts accounts{};
  accounts.charged_until = 100;
  accounts.charge_until(130, vmi::account_gate);
  EXPECT_EQ(accounts.charge_until(135, vmi::Accounts::system_call(1)), vmi::account_gate);
  accounts.charge_until(200, vmi::account_user);
  EXPECT_EQ(accounts.cycles[vmi::account_user], 30u);
  EXPECT_EQ(accounts.cycles[vmi::account_gate], 5u);
  EXPECT_EQ(accounts.cycles[vmi::Accounts::system_call(1)], 65u);
  EXPECT_EQ(vmi::Accounts::system_call(vmi::system_call_slots), vmi::account_kernel);
}

/// The baseline's VMM process charges in memory that the guest kernel can write.
TEST(Accounts, AForgedAccountIsTheKernels) {
  vmi::Accounts accounts{};
  for (std::uint32_t forged : {vmi::Accounts::slots, vmi::Accounts::slots + 1, 0x7fffffffu, ~0u}) {
    accounts.charged = forged;
    EXPECT_EQ(accounts.charge_until(0, vmi::account_user), vmi::account_kernel);
  }
}

TEST(CollectCounters, AForgedTimeScaleIsNone) {
  GuestMemory memory(vmi::ram_min);
  memory.boot_info().options = vmi::boot_account;
  Outcome outcome;
  for (std::uint32_t shift : {64u, 65u, ~0u}) {
    memory.shared_info().time.mult = 1;
    memory.shared_info().time.shift = shift;
    collect_counters(memory, outcome);
    EXPECT_EQ(outcome.cycles_per_second, 0);
  }
  memory.shared_info().time.mult = 0;
  memory.shared_info().time.shift = 1;
  collect_counters(memory, outcome);
  EXPECT_EQ(outcome.cycles_per_second, 0);
}

TEST(Accounts, HostCallsAreTheGuestKernelsOrOfWhatTheyServe) {
  vmi::Accounts accounts{};
  accounts.begin();
  {
    const vmi::Charged host(&accounts, vmi::account_host_calls);
    EXPECT_EQ(accounts.charged, vmi::account_host_calls);
  }
  EXPECT_EQ(accounts.charged, vmi::account_kernel);
  {
    const vmi::Charged device(&accounts, vmi::account_devices);
    const vmi::Charged host(&accounts, vmi::account_host_calls);
    EXPECT_EQ(accounts.charged, vmi::account_devices);
  }
  EXPECT_EQ(accounts.charged, vmi::account_kernel);
  const vmi::Charged nobody(nullptr, vmi::account_idle);
}

}  // namespace
}  // namespace monitor
