// The filter of the extended VMM: the gate's calls, and how it compares with the observer's table.
#include "tests/unit/host/extended_filter_fixture.h"

namespace extended {
namespace {

TEST_P(FilterTest, GateCallsNeedEveryArgument) {
  if (GetParam().protection == none_policy.protection)
    GTEST_SKIP() << "this protection has no gate calls";
  const bool by_mprotect = GetParam().protection == mprotect_policy.protection;
  const int number = by_mprotect ? SYS_mprotect : SYS_mmap;
  const Arguments opening = {vmi::window_base,
                             by_mprotect ? vmi::window_size : sites_.mapping_bytes,
                             7,
                             MAP_SHARED | MAP_FIXED,
                             3,
                             0};
  EXPECT_TRUE(allowed(AUDIT_ARCH_X86_64, sites_.opened, number, opening));
  EXPECT_TRUE(allowed(AUDIT_ARCH_X86_64, sites_.direct_opened, number, opening));
  EXPECT_FALSE(allowed(AUDIT_ARCH_X86_64, sites_.direct_closed, number, opening));
  EXPECT_FALSE(allowed(AUDIT_ARCH_X86_64, sites_.closed, number, opening));
  EXPECT_FALSE(allowed(AUDIT_ARCH_X86_64, sites_.opened + 1, number, opening));
  EXPECT_FALSE(allowed(AUDIT_ARCH_I386, sites_.opened, number, opening));
  EXPECT_FALSE(allowed(AUDIT_ARCH_X86_64, sites_.opened, SYS_munmap, opening));
  for (int argument = 0; argument < (by_mprotect ? 3 : 6); ++argument) {
    for (int bit = 0; bit < 64; bit += 7) {
      Arguments changed = opening;
      changed[argument] ^= 1ull << bit;
      EXPECT_FALSE(allowed(AUDIT_ARCH_X86_64, sites_.opened, number, changed))
          << "argument " << argument << " bit " << bit;
    }
  }
}

TEST_P(FilterTest, OneReturnFromSignals) {
  const Arguments none{};
  EXPECT_TRUE(allowed(AUDIT_ARCH_X86_64, sites_.signal_return, SYS_rt_sigreturn, none));
  EXPECT_FALSE(allowed(AUDIT_ARCH_X86_64, sites_.signal_return, SYS_pread64, none));
  EXPECT_FALSE(allowed(AUDIT_ARCH_I386, sites_.signal_return, SYS_rt_sigreturn, none));
}

TEST_P(FilterTest, GuestAddressesAreTheGuests) {
  const Arguments none{};
  for (std::uint64_t ip :
       {std::uint64_t{0x401000}, std::uint64_t{0xffffffffff600007}, vmi::user_end - 1,
        vmi::gate_base, sites_.host_call & 0xffffffff})  // the same low half elsewhere
    for (int number : {int{SYS_getpid}, int{SYS_mprotect}, int{SYS_mmap}, int{SYS_rt_sigreturn}})
      EXPECT_FALSE(allowed(AUDIT_ARCH_X86_64, ip, number, none));
}

/// The filter cannot see it; the observer can.
TEST_P(FilterTest, TheObserverAllowsCallsOfTheWindowInTheKernelAlone) {
  EXPECT_FALSE(
      observer_allows(AUDIT_ARCH_X86_64, sites_.host_call, SYS_munmap, {at_user, page}, false));
  EXPECT_FALSE(
      observer_allows(AUDIT_ARCH_X86_64, sites_.signal_return, SYS_rt_sigreturn, {}, false));
}

/// Values at and beside every edge. The observer's table is the stricter one in a few things that a
/// filter would pay too much for, so what it allows the filter must, and what the filter allows
/// beyond that is one of these.
TEST_P(FilterTest, IsNoWiderThanTheObserversTableButForWhatIsKnown) {
  std::mt19937_64 random(1);
  const std::uint64_t edges[] = {0,
                                 1,
                                 2,
                                 3,
                                 4,
                                 5,
                                 7,
                                 8,
                                 fixed,
                                 fixed | MAP_POPULATE,
                                 page,
                                 300,
                                 vmi::user_begin,
                                 top,
                                 in_window,
                                 vmi::window_base,
                                 vmi::window_size,
                                 vmi::window_end,
                                 sites_.mapping_bytes,
                                 vmi::attic_base,
                                 vmi::attic_slab(slabs),
                                 vmi::attic_slab_bytes,
                                 vmi::gate_base,
                                 vmi::alt_stack_base,
                                 slot,
                                 slot + 4,
                                 slot + 240,
                                 all_clone_flags,
                                 ram,
                                 disk_bytes,
                                 1ull << 32,
                                 ~0ull};
  const int numbers[] = {
      SYS_mmap,    SYS_munmap,        SYS_mprotect,       SYS_madvise, SYS_pread64,   SYS_pwrite64,
      SYS_pwritev, SYS_write,         SYS_read,           SYS_ppoll,   SYS_getrandom, SYS_futex,
      SYS_clone,   SYS_clock_gettime, SYS_rt_sigprocmask, SYS_lseek,   SYS_sendfile};
  const std::uint64_t ips[] = {sites_.opened, sites_.closed, sites_.direct_opened,
                               sites_.direct_closed};
  auto is_known = [&](int number, const Arguments& a) {
    const bool whole_pages = a[0] % page == 0 && a[1] % page == 0 && a[1] != 0;
    switch (number) {
      case SYS_mmap:
        return !whole_pages || a[5] % page != 0;
      case SYS_munmap:
      case SYS_mprotect:
        return !whole_pages;
      case SYS_write:
        return a[0] == 1;  // from elsewhere in the window than the ring
      case SYS_futex:
      case SYS_clone:
        return true;  // of the table of members, but not those fields
      case SYS_pwritev:
        return a[1] > vmi::window_end - 16;
      default:
        return false;
    }
  };
  int both = 0;
  for (int i = 0; i < 400'000; ++i) {
    Arguments arguments;
    for (auto& argument : arguments) {
      argument = edges[random() % std::size(edges)];
      const auto shift = random() % 8;
      if (shift == 0) argument += page;
      if (shift == 1) argument -= page;
      if (shift == 2) argument -= 1;
    }
    const int number = numbers[random() % std::size(numbers)];
    const std::uint64_t ip = i % 8 == 0 ? ips[random() % std::size(ips)] : sites_.host_call;
    const bool filter = filter_allows(AUDIT_ARCH_X86_64, ip, number, arguments);
    const bool observer = observer_allows(AUDIT_ARCH_X86_64, ip, number, arguments);
    both += filter && observer;
    if (filter == observer) continue;
    ASSERT_TRUE(filter && is_known(number, arguments))
        << describe(number, arguments) << (filter ? "filter only" : "observer only");
  }
  EXPECT_GT(both, 100);
}

TEST_P(FilterTest, FitsTheHostKernel) {
  EXPECT_LE(program_.size(), std::size_t{BPF_MAXINSNS});
}

INSTANTIATE_TEST_SUITE_P(Protections, FilterTest, all_protections, name_of);

}  // namespace
}  // namespace extended
