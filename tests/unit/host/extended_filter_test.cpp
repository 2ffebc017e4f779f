// The seccomp filter of the extended VMM, run by a small BPF interpreter over made-up calls and
// held against the same rule in plain code (is_allowed, which the observer uses).
#include "extended-vmm/trap/filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstring>
#include <random>

namespace extended {
namespace {

std::uint32_t interpret(const std::vector<sock_filter>& program, const seccomp_data& data) {
  std::uint32_t accumulator = 0;
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& op = program[pc];
    switch (op.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + op.k, 4);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        pc += accumulator == op.k ? op.jt : op.jf;
        break;
      case BPF_RET | BPF_K:
        return op.k;
      default:
        ADD_FAILURE() << "the interpreter does not know opcode " << op.code;
        return 0;
    }
  }
  ADD_FAILURE() << "the program runs over its end";
  return 0;
}

HostCallSites sites(Protect protect) {
  return {.protect = protect,
          .opened = vmi::gate_base + 0x18,
          .closed = vmi::gate_base + 0x118,
          .direct_opened = vmi::gate_base + 0x262,
          .direct_closed = vmi::gate_base + 0x318,
          .host_call = vmi::resident_base + 0x2345,
          .signal_return = vmi::resident_base + 0x3456,
          .mapping_bytes = vmi::window_size + (std::uint64_t{1} << 30)};
}

class FilterTest : public ::testing::TestWithParam<Protect> {
 protected:
  bool filter_allows(std::uint32_t arch, std::uint64_t ip, int number,
                     const std::uint64_t (&arguments)[6]) {
    seccomp_data data{number, arch, ip, {}};
    std::memcpy(data.args, arguments, sizeof data.args);
    const std::uint32_t action = interpret(program_, data);
    EXPECT_TRUE(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_TRAP);
    const bool allowed = action == SECCOMP_RET_ALLOW;
    EXPECT_EQ(allowed, is_allowed(sites_, arch, ip, static_cast<std::uint64_t>(number), arguments));
    return allowed;
  }
  HostCallSites sites_ = sites(GetParam());
  std::vector<sock_filter> program_ = make_filter(sites_);
};

TEST_P(FilterTest, GateCallsNeedEveryArgument) {
  if (GetParam() == Protect::none) GTEST_SKIP() << "this protection has no gate calls";
  const bool by_mprotect = GetParam() == Protect::mprotect;
  const int number = by_mprotect ? SYS_mprotect : SYS_mmap;
  const std::uint64_t opening[6] = {vmi::window_base,
                                    by_mprotect ? vmi::window_size : sites_.mapping_bytes,
                                    7,
                                    MAP_SHARED | MAP_FIXED,
                                    3,
                                    0};
  EXPECT_TRUE(filter_allows(AUDIT_ARCH_X86_64, sites_.opened, number, opening));
  EXPECT_TRUE(filter_allows(AUDIT_ARCH_X86_64, sites_.direct_opened, number, opening));
  EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, sites_.direct_closed, number, opening));
  EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, sites_.closed, number, opening));
  EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, sites_.opened + 1, number, opening));
  EXPECT_FALSE(filter_allows(AUDIT_ARCH_I386, sites_.opened, number, opening));
  EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, sites_.opened, SYS_munmap, opening));
  for (int argument = 0; argument < (by_mprotect ? 3 : 6); ++argument) {
    for (int bit = 0; bit < 64; bit += 7) {
      std::uint64_t changed[6];
      std::memcpy(changed, opening, sizeof changed);
      changed[argument] ^= 1ull << bit;
      EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, sites_.opened, number, changed))
          << "argument " << argument << " bit " << bit;
    }
  }
}

TEST_P(FilterTest, WindowCallsAreListed) {
  const std::uint64_t none[6] = {};
  EXPECT_TRUE(filter_allows(AUDIT_ARCH_X86_64, sites_.host_call, SYS_pread64, none));
  EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, sites_.host_call, SYS_execve, none));
  EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, sites_.host_call, SYS_rt_sigreturn, none));
  EXPECT_TRUE(filter_allows(AUDIT_ARCH_X86_64, sites_.signal_return, SYS_rt_sigreturn, none));
  EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, sites_.signal_return, SYS_pread64, none));
}

TEST_P(FilterTest, GuestAddressesAreTheGuests) {
  const std::uint64_t none[6] = {};
  for (std::uint64_t ip :
       {std::uint64_t{0x401000}, std::uint64_t{0xffffffffff600007}, vmi::user_end - 1,
        vmi::gate_base, sites_.host_call & 0xffffffff})  // the same low half elsewhere
    for (int number : {int{SYS_getpid}, int{SYS_mprotect}, int{SYS_mmap}, int{SYS_rt_sigreturn}})
      EXPECT_FALSE(filter_allows(AUDIT_ARCH_X86_64, ip, number, none));
}

TEST_P(FilterTest, AgreesWithThePlainRuleOnRandomCalls) {
  std::mt19937_64 random(1);
  const std::uint64_t ips[] = {sites_.opened,
                               sites_.closed,
                               sites_.direct_opened,
                               sites_.direct_closed,
                               sites_.host_call,
                               sites_.signal_return,
                               0x401000};
  const std::uint64_t values[] = {
      0, 3, 7, vmi::window_base, vmi::window_size, sites_.mapping_bytes, MAP_SHARED | MAP_FIXED};
  for (int i = 0; i < 50'000; ++i) {
    std::uint64_t arguments[6];
    for (auto& argument : arguments) argument = values[random() % std::size(values)];
    filter_allows(AUDIT_ARCH_X86_64, ips[random() % std::size(ips)],
                  static_cast<int>(random() % 20), arguments);
  }
}

INSTANTIATE_TEST_SUITE_P(Protections, FilterTest,
                         ::testing::Values(Protect::mprotect, Protect::mmap, Protect::none),
                         [](const auto& info) {
                           return info.param == Protect::mprotect ? "mprotect"
                                  : info.param == Protect::mmap   ? "mmap"
                                                                  : "none";
                         });

}  // namespace
}  // namespace extended
