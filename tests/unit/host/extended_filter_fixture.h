// FilterTest: the extended VMM's seccomp filter, run by a small BPF interpreter over made-up calls
// and held against the observer's table (is_allowed), which is written independently of it.
#pragma once

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "extended-vmm/allowed_calls.h"
#include "extended-vmm/trap/filter.h"
#include "monitor/machine/syscall_names.h"

namespace extended {

/// As the host kernel does it.
inline std::uint32_t interpret(const std::vector<sock_filter>& program, const seccomp_data& data) {
  std::uint32_t accumulator = 0, index = 0, memory[BPF_MEMWORDS] = {};
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& op = program[pc];
    auto jump = [&](bool yes) { pc += yes ? op.jt : op.jf; };
    switch (op.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + op.k, 4);
        break;
      case BPF_LD | BPF_MEM:
        accumulator = memory[op.k];
        break;
      case BPF_ST:
        memory[op.k] = accumulator;
        break;
      case BPF_MISC | BPF_TAX:
        index = accumulator;
        break;
      case BPF_ALU | BPF_ADD | BPF_X:
        accumulator += index;
        break;
      case BPF_ALU | BPF_ADD | BPF_K:
        accumulator += op.k;
        break;
      case BPF_ALU | BPF_SUB | BPF_K:
        accumulator -= op.k;
        break;
      case BPF_JMP | BPF_JA:
        pc += op.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(accumulator == op.k);
        break;
      case BPF_JMP | BPF_JEQ | BPF_X:
        jump(accumulator == index);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        jump(accumulator > op.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        jump(accumulator >= op.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_X:
        jump(accumulator >= index);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        jump((accumulator & op.k) != 0);
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

inline constexpr std::uint32_t slabs = 32;
inline constexpr std::uint64_t ram = std::uint64_t{1} << 30, disk_bytes = std::uint64_t{5} << 32;

inline HostCallSites sites(const Policy& policy) {
  return {.protection = policy.protection,
          .opened = vmi::gate_base + 0x18,
          .closed = vmi::gate_base + 0x118,
          .direct_opened = vmi::gate_base + 0x262,
          .direct_closed = vmi::gate_base + 0x318,
          .host_call = vmi::resident_base + 0x2345,
          .signal_return = vmi::resident_base + 0x3456,
          .mapping_bytes = vmi::ram_offset + ram,
          .attic_slabs = slabs,
          .trap = Trap::direct,
          .spaces = Spaces::pool,
          .block_bytes = disk_bytes,
          .block_read_only = false,
          .has_sockets = true};
}

using Arguments = std::array<std::uint64_t, 6>;

class FilterTest : public ::testing::TestWithParam<Policy> {
 protected:
  bool filter_allows(std::uint32_t arch, std::uint64_t ip, int number, const Arguments& arguments) {
    seccomp_data data{number, arch, ip, {}};
    std::memcpy(data.args, arguments.data(), sizeof data.args);
    const std::uint32_t action = interpret(program_, data);
    EXPECT_TRUE(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_TRAP);
    return action == SECCOMP_RET_ALLOW;
  }
  bool observer_allows(std::uint32_t arch, std::uint64_t ip, int number, const Arguments& arguments,
                       bool in_kernel = true) {
    monitor::ObservedCall call{ip,        arch, static_cast<std::uint64_t>(number), {}, 0,
                               in_kernel, false};
    std::copy(arguments.begin(), arguments.end(), call.arguments);
    return is_allowed(sites_, call);
  }
  /// Both say so.
  bool allowed(std::uint32_t arch, std::uint64_t ip, int number, const Arguments& arguments) {
    const bool filter = filter_allows(arch, ip, number, arguments);
    EXPECT_EQ(filter, observer_allows(arch, ip, number, arguments)) << describe(number, arguments);
    return filter;
  }
  bool allowed(int number, const Arguments& arguments) {
    return allowed(AUDIT_ARCH_X86_64, sites_.host_call, number, arguments);
  }
  static std::string describe(int number, const Arguments& arguments) {
    std::string text = monitor::syscall_name(static_cast<std::uint64_t>(number)) + std::string("(");
    char digits[24];
    for (std::uint64_t argument : arguments) {
      std::snprintf(digits, sizeof digits, "%#lx ", argument);
      text += digits;
    }
    return text + ")";
  }
  void expect(bool wanted, int number, const Arguments& arguments) {
    EXPECT_EQ(allowed(number, arguments), wanted) << describe(number, arguments);
  }
  void rebuild() { program_ = make_filter(sites_); }

  HostCallSites sites_ = sites(GetParam());
  std::vector<sock_filter> program_ = make_filter(sites_);
};

inline constexpr std::uint64_t page = vmi::page_size, at_user = 0x400000, top = vmi::user_end;
inline constexpr std::uint64_t in_window = vmi::window_base + 0x60000, frames = vmi::ram_offset;
inline constexpr std::uint64_t fixed = MAP_SHARED | MAP_FIXED, garbage = 0xdeadbeefcafe;
inline constexpr std::uint64_t table =
    vmi::resident_base + offsetof(ResidentImage, members) + offsetof(Members, table);
inline constexpr std::uint64_t slot = table + 7 * sizeof(Member);
inline constexpr std::uint64_t slot_stack = slot + sizeof(Member);  // its end
inline constexpr std::uint64_t all_clone_flags = CLONE_FILES | CLONE_PARENT | CLONE_PARENT_SETTID;

inline std::string name_of(const testing::TestParamInfo<Policy>& info) {
  return info.param.word;
}
inline const auto all_protections = testing::ValuesIn(policies);

}  // namespace extended
