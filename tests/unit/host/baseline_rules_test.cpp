// Which host calls the baseline lets through: the VMM process's rules and the observer's table,
// which are written independently, over made-up calls.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <random>

#include "baseline-vmm/allowed_calls.h"
#include "baseline-vmm/observer.h"
#include "tests/unit/host/baseline_fixture.h"

namespace baseline {
namespace {

HostCall map_call(std::uint64_t va, std::uint64_t bytes, std::uint64_t offset) {
  return call(rules.host_call_ip, SYS_mmap, {va, bytes, 3, MAP_SHARED | MAP_FIXED, 3, offset});
}

TEST(BaselineRules, TheObserverSeesWhatTheVmmProcessWouldMiss) {
  Observer observer(rules);
  observer.record(open_call(), true, true);
  observer.record(map_call(vmi::window_base, 0x1000, vmi::ram_offset), true, true);
  observer.record(call(rules.host_call_ip, SYS_write, {2, vmi::window_base, 8}), true, true);
  observer.record(call(0x400010, SYS_getpid, {}), false, true);
  observer.record(call(0x400010, SYS_kill, {1, 9}), false, true);
  for (const monitor::ObservedCall& seen : observer.report())
    EXPECT_EQ(seen.allowed, seen.ip == rules.gate_opened || seen.number == SYS_getpid);
}

/// Two tables, written independently: what one says the other says.
TEST(BaselineRules, AgreeWithTheObserversTable) {
  std::mt19937_64 random(1);
  const std::uint64_t ips[] = {rules.gate_opened,  rules.gate_closed, rules.gate_returned,
                               rules.host_call_ip, rules.vmm_call_ip, 0x400010};
  const std::uint64_t numbers[] = {SYS_mmap, SYS_munmap,       SYS_mprotect, SYS_write,
                                   SYS_kill, SYS_rt_sigreturn, SYS_getpid,   SYS_clone};
  const std::uint64_t edges[] = {0,
                                 3,
                                 7,
                                 8,
                                 4096,
                                 MAP_SHARED | MAP_FIXED,
                                 MAP_SHARED | MAP_FIXED | MAP_POPULATE,
                                 vmi::user_begin,
                                 0x400000,
                                 vmi::user_end,
                                 vmi::gate_base,
                                 vmi::alt_stack_base,
                                 vmi::window_base,
                                 vmi::window_size,
                                 guest_bytes,
                                 ~0ull};
  int allowed = 0;
  for (int i = 0; i < 300'000; ++i) {
    HostCall made{.ip = ips[random() % std::size(ips)],
                  .arch = i % 16 == 0 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64,
                  .number = numbers[random() % std::size(numbers)],
                  .arguments = {}};
    for (std::uint64_t& argument : made.arguments) {
      argument = edges[random() % std::size(edges)];
      if (random() % 8 == 0) argument += 4096;
      if (random() % 8 == 0) argument -= 4096;
    }
    if (random() % 2 == 0) made.arguments[3] = MAP_SHARED | MAP_FIXED, made.arguments[4] = 3;
    const bool rule = rules.judge(made).has_value();
    ASSERT_EQ(rule, is_allowed(rules, made, true)) << made.number << " at " << made.ip;
    allowed += rule;
  }
  EXPECT_GT(allowed, 100);
  for (int call = 0; call < 8; ++call)
    EXPECT_EQ(is_allowed(rules, vmm_call(static_cast<VmmCall>(call), vmi::window_base), true),
              call <= 1 || call == 3);
}

}  // namespace
}  // namespace baseline
