// The seccomp filter of the extended VMM, run by a small BPF interpreter over made-up calls and
// held against the observer's table (is_allowed), which is written independently of it.
#include "extended-vmm/trap/filter.h"

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
#include "monitor/syscall_names.h"

namespace extended {
namespace {

/// As the host kernel does it.
std::uint32_t interpret(const std::vector<sock_filter>& program, const seccomp_data& data) {
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
      case BPF_JMP | BPF_JA:
        pc += op.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(accumulator == op.k);
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

constexpr std::uint64_t ram = std::uint64_t{1} << 30, disk_bytes = std::uint64_t{5} << 32;

HostCallSites sites(Protect protect) {
  return {.protect = protect,
          .opened = vmi::gate_base + 0x18,
          .closed = vmi::gate_base + 0x118,
          .direct_opened = vmi::gate_base + 0x262,
          .direct_closed = vmi::gate_base + 0x318,
          .host_call = vmi::resident_base + 0x2345,
          .signal_return = vmi::resident_base + 0x3456,
          .mapping_bytes = vmi::window_size + ram,
          .trap = Trap::direct,
          .spaces = Spaces::pool,
          .block_bytes = disk_bytes,
          .block_read_only = false};
}

using Arguments = std::array<std::uint64_t, 6>;

class FilterTest : public ::testing::TestWithParam<Protect> {
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

TEST_P(FilterTest, GateCallsNeedEveryArgument) {
  if (GetParam() == Protect::none) GTEST_SKIP() << "this protection has no gate calls";
  const bool by_mprotect = GetParam() == Protect::mprotect;
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

// -- The calls of the resident part, as it makes them; and as it never does.

constexpr std::uint64_t page = vmi::page_size, at_user = 0x400000, top = vmi::user_end;
constexpr std::uint64_t in_window = vmi::window_base + 0x60000, frames = vmi::window_size;
constexpr std::uint64_t fixed = MAP_SHARED | MAP_FIXED, garbage = 0xdeadbeefcafe;
constexpr std::uint64_t table =
    vmi::resident_base + offsetof(ResidentImage, members) + offsetof(Members, table);
constexpr std::uint64_t slot = table + 7 * sizeof(Member);
constexpr std::uint64_t all_clone_flags = CLONE_FILES | CLONE_PARENT | CLONE_PARENT_SETTID;

struct Example {
  bool allowed;
  int number;
  Arguments arguments;
};

const Example everywhere[] = {
    // map()
    {true, SYS_mmap, {at_user, page, 3, fixed, 3, frames}},
    {true, SYS_mmap, {vmi::user_begin, ram, 7, fixed | MAP_POPULATE, 3, frames}},
    {true, SYS_mmap, {top - page, page, 0, fixed, 3, frames + ram - page}},
    {true, SYS_mmap, {top - (1ull << 32), ram, 0, fixed, 3, frames}},
    {true, SYS_mmap, {0x7ffe'fffe'0000, 0x2'0000, 0, fixed, 3, frames}},
    {false, SYS_mmap, {0x7ffe'fffe'0000, 0x2'1000, 0, fixed, 3, frames}},
    {false, SYS_mmap, {top - page, 2 * page, 3, fixed, 3, frames}},
    {false, SYS_mmap, {top - ram + page, ram, 3, fixed, 3, frames}},
    {false, SYS_mmap, {at_user, -page, 3, fixed, 3, frames}},
    {false, SYS_mmap, {0, page, 3, fixed, 3, frames}},
    {false, SYS_mmap, {at_user, page, 3, fixed, 3, 0}},                  // the window's memory
    {false, SYS_mmap, {at_user, 2 * page, 3, fixed, 3, frames - page}},  // and half of it
    {false, SYS_mmap, {at_user, 2 * page, 3, fixed, 3, frames + ram - page}},
    {false, SYS_mmap, {at_user, page, 3, fixed, 3, -page}},
    {false, SYS_mmap, {at_user, page, 3, fixed, 4, frames}},
    {false, SYS_mmap, {at_user, page, 3, fixed, ~0ull, frames}},
    {false, SYS_mmap, {at_user, page, 3, MAP_SHARED, 3, frames}},
    {false, SYS_mmap, {at_user, page, 3, MAP_PRIVATE | MAP_FIXED, 3, frames}},
    {false, SYS_mmap, {at_user, page, 3, fixed | MAP_ANONYMOUS, 3, frames}},
    {false, SYS_mmap, {at_user, page, 3, fixed | 1ull << 40, 3, frames}},
    {false, SYS_mmap, {at_user, page, 8, fixed, 3, frames}},
    {false, SYS_mmap, {at_user, page, 1ull << 32, fixed, 3, frames}},
    {false, SYS_mmap, {vmi::gate_base, page, 7, fixed, 3, frames}},
    {false, SYS_mmap, {vmi::alt_stack_base, page, 7, fixed, 3, frames}},
    {false, SYS_mmap, {vmi::window_base, page, 7, fixed, 3, frames}},
    {false, SYS_mmap, {vmi::trampolines_high, page, 7, fixed, 3, frames}},
    {false, SYS_mmap, {vmi::trampolines_low, page, 3, fixed, 3, frames}},
    // at the start
    {true, SYS_mmap, {vmi::trampolines_high, 0x8000, 5, fixed, 3, 0x48000}},
    {true, SYS_mmap, {vmi::trampolines_low, 0x8000, 5, fixed, 3, 0x48000}},
    {false, SYS_mmap, {vmi::trampolines_low, 0x8000, 7, fixed, 3, 0x48000}},
    {false, SYS_mmap, {vmi::trampolines_low, 0x8000, 5, fixed, 3, 0x40000}},
    // unmap(), protect()
    {true, SYS_munmap, {at_user, page}},
    {true, SYS_munmap, {vmi::user_begin, top - vmi::user_begin, garbage}},
    {false, SYS_munmap, {vmi::user_begin, top - vmi::user_begin + page}},
    {false, SYS_munmap, {vmi::gate_base, page}},
    {false, SYS_munmap, {vmi::alt_stack_base, page}},
    {false, SYS_munmap, {vmi::window_base, page}},
    {false, SYS_munmap, {at_user, ~0ull - page + 1}},
    {true, SYS_munmap, {0, vmi::gate_base}},
    {true, SYS_munmap, {vmi::gate_base + 2 * page, 0xfe000}},
    {false, SYS_munmap, {vmi::gate_base + page, 0xff000}},
    {true, SYS_mprotect, {at_user, 8 * page, 5}},
    {true, SYS_mprotect, {vmi::user_begin, top - vmi::user_begin, 0}},
    {false, SYS_mprotect, {at_user, 8 * page, 8}},
    {false, SYS_mprotect, {vmi::gate_base, page, 7}},
    {false, SYS_mprotect, {vmi::gate_base - page, page, 7}},
    {false, SYS_mprotect, {vmi::window_base, vmi::window_size, 7}},
    {false, SYS_mprotect, {vmi::trampolines_high, 0x8000, 7}},
    // The disk
    {true, SYS_pread64, {4, in_window, page, 0}},
    {true, SYS_pread64, {4, in_window, page, disk_bytes - page}},
    {false, SYS_pread64, {4, in_window, page, disk_bytes - page + 1}},
    {false, SYS_pread64, {4, at_user, page, 0}},
    {false, SYS_pread64, {5, in_window, page, 0}},
    {false, SYS_pread64, {0, in_window, page, 0}},
    {true, SYS_pwrite64, {4, in_window, page, 0x1'2345'6000}},
    {false, SYS_pwrite64, {4, in_window, page, disk_bytes}},
    {false, SYS_pwrite64, {4, at_user, page, 0}},
    {false, SYS_pwrite64, {1, in_window, page, 0}},
    {true, SYS_fdatasync, {4, garbage, garbage}},
    {false, SYS_fdatasync, {3}},
    // Standard descriptors and the launcher's eventfd
    {true, SYS_write, {1, vmi::rings_base + 16, 16384}},
    {true, SYS_write, {2, in_window, 80}},
    {true, SYS_write, {5, in_window, 8}},
    {false, SYS_write, {5, in_window, 9}},
    {false, SYS_write, {5, at_user, 8}},
    {false, SYS_write, {2, at_user, 80}},  // what the escape did
    {false, SYS_write, {1, at_user, 80}},
    {false, SYS_write, {2, vmi::ram_base, 80}},
    {false, SYS_write, {1, vmi::window_end - 8, 9}},
    {false, SYS_write, {0, in_window, 8}},
    {false, SYS_write, {3, in_window, 8}},
    {false, SYS_write, {4, in_window, 8}},
    {false, SYS_write, {6, in_window, 8}},
    {true, SYS_read, {0, vmi::rings_base, 4096}},
    {false, SYS_read, {0, at_user, 4096}},
    {false, SYS_read, {1, vmi::rings_base, 4096}},
    {false, SYS_read, {0, vmi::window_end - 1, 4096}},
    {true, SYS_ppoll, {in_window, 1, 0, 0, 8}},
    {true, SYS_ppoll, {in_window, 0, in_window, 0, 8}},
    {false, SYS_ppoll, {in_window, 2, 0, 0, 8}},
    {false, SYS_ppoll, {at_user, 1, 0, 0, 8}},
    {false, SYS_ppoll, {in_window, 1, at_user, 0, 8}},
    {false, SYS_ppoll, {in_window, 1, 0, in_window, 8}},
    // Clocks and the like
    {true, SYS_clock_gettime, {0, in_window}},
    {true, SYS_clock_gettime, {1, in_window}},
    {false, SYS_clock_gettime, {2, in_window}},
    {false, SYS_clock_gettime, {1, at_user}},
    {true, SYS_getrandom, {in_window, 8, 0}},
    {false, SYS_getrandom, {at_user, 8, 0}},
    {false, SYS_getrandom, {in_window, 8, 1}},
    {true, SYS_setitimer, {2, in_window, 0}},
    {false, SYS_setitimer, {0, in_window, 0}},
    {false, SYS_setitimer, {2, in_window, in_window}},
    {true, SYS_sigaltstack, {in_window, 0}},
    {false, SYS_sigaltstack, {vmi::alt_stack_base, 0}},
    {false, SYS_sigaltstack, {vmi::window_end - 8, 0}},
    {false, SYS_sigaltstack, {in_window, in_window}},
    {true, SYS_exit_group, {0}},
    {true, SYS_exit_group, {1, garbage}},
    {false, SYS_exit_group, {42}},
    // A pool's processes
    {true, SYS_futex, {slot, FUTEX_WAKE, 1, garbage, garbage, garbage}},
    {true, SYS_futex, {slot, FUTEX_WAIT, 0, 0}},
    {false, SYS_futex, {slot, FUTEX_WAIT, 0, in_window}},
    {false, SYS_futex, {slot, FUTEX_WAKE, 100}},
    {false, SYS_futex, {slot, FUTEX_REQUEUE, 1, 1, slot}},
    {false, SYS_futex, {slot, FUTEX_LOCK_PI, 0, 0}},
    {false, SYS_futex, {in_window, FUTEX_WAIT, 0, 0}},
    {false, SYS_futex, {at_user, FUTEX_WAKE, 1}},
    {true, SYS_rt_sigprocmask, {SIG_SETMASK, in_window, 0, 8}},
    {false, SYS_rt_sigprocmask, {SIG_BLOCK, in_window, 0, 8}},
    {false, SYS_rt_sigprocmask, {SIG_SETMASK, at_user, 0, 8}},
    {false, SYS_rt_sigprocmask, {SIG_SETMASK, in_window, in_window, 8}},
    {true, SYS_clone, {all_clone_flags, slot + 240, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags | SIGCHLD, slot + 240, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags | CLONE_VM, slot + 240, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags & ~CLONE_PARENT, slot + 240, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags & ~CLONE_PARENT_SETTID, slot + 240, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags | 1ull << 33, slot + 240, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags, 0, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags, at_user, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags, slot + 240, in_window, 0, 0}},
    {false, SYS_clone, {all_clone_flags, slot + 240, slot + 4, slot, 0}},
    {true, SYS_prctl, {1, SIGKILL, garbage, garbage}},
    {false, SYS_prctl, {1, 0}},
    {false, SYS_prctl, {15, in_window}},
    {true, SYS_getppid, {garbage, garbage}},
    // Never
    {false, SYS_kill, {1, 9}},
    {false, SYS_tgkill, {1, 1, 9}},
    {false, SYS_pidfd_send_signal, {3, 9}},
    {false, SYS_open, {in_window}},
    {false, SYS_openat, {0, in_window}},
    {false, SYS_execve, {in_window}},
    {false, SYS_fork, {}},
    {false, SYS_clone3, {in_window, 88}},
    {false, SYS_ptrace, {16, 1}},
    {false, SYS_socket, {1, 1}},
    {false, SYS_dup2, {3, 1}},
    {false, SYS_fcntl, {3, 0}},
    {false, SYS_ftruncate, {4, 0}},
    {false, SYS_mremap, {at_user, page, page, 3, at_user}},
    {false, SYS_rt_sigreturn, {}},
    {false, SYS_rt_sigaction, {11, in_window, 0, 8}},
    {false, SYS_seccomp, {1, 0, in_window}},
    {false, SYS_process_vm_writev, {1, in_window, 1, in_window, 1}},
    {false, SYS_io_uring_setup, {1, in_window}},
};

/// Page frames under protect=mprotect, and the disk's way to them.
const Example by_descriptor[] = {
    {true, SYS_pread64, {3, at_user, 300, frames}},
    {true, SYS_pread64, {3, in_window, page, frames + ram - page}},
    {true, SYS_pread64, {3, top - 1, 1, frames + 77}},
    {false, SYS_pread64, {3, top - 1, 2, frames}},
    {false, SYS_pread64, {3, at_user, page, frames + ram - page + 1}},
    {false, SYS_pread64, {3, at_user, page, 0}},
    {false, SYS_pread64, {3, vmi::gate_base, page, frames}},
    {false, SYS_pread64, {3, vmi::alt_stack_base, page, frames}},
    {false, SYS_pread64, {3, vmi::window_end - 8, 16, frames}},
    {true, SYS_pwrite64, {3, at_user, 300, frames}},
    {false, SYS_pwrite64, {3, in_window, page, 0}},
    {false, SYS_pwrite64, {3, in_window, page, frames + ram}},
    {true, SYS_pwritev, {3, in_window, 32, frames, 0, garbage}},
    {false, SYS_pwritev, {3, in_window, 33, frames, 0}},
    {false, SYS_pwritev, {3, in_window, 1, 0, 0}},
    {false, SYS_pwritev, {3, in_window, 1, frames, 1}},
    {false, SYS_pwritev, {4, in_window, 1, frames, 0}},
    {false, SYS_pwritev, {3, at_user, 1, frames, 0}},
    {true, SYS_lseek, {3, frames, 0}},
    {true, SYS_lseek, {4, page, 0}},
    {false, SYS_lseek, {4, disk_bytes + 1, 0}},
    {false, SYS_lseek, {3, frames, 2}},
    {false, SYS_lseek, {1, 0, 0}},
    {true, SYS_sendfile, {3, 4, in_window, 64 * page}},
    {true, SYS_sendfile, {4, 3, in_window, 64 * page}},
    {false, SYS_sendfile, {1, 3, in_window, page}},
    {false, SYS_sendfile, {2, 4, in_window, page}},
    {false, SYS_sendfile, {4, 4, in_window, page}},
    {false, SYS_sendfile, {3, 4, 0, page}},
    {false, SYS_sendfile, {3, 4, at_user, page}},
};

TEST_P(FilterTest, JudgesTheArgumentsOfCallsInTheWindow) {
  for (const auto& [allowed, number, arguments] : everywhere) expect(allowed, number, arguments);
}

TEST_P(FilterTest, FramesGoByDescriptorWhereTheyAreNotMapped) {
  const bool unmapped = GetParam() == Protect::mprotect;
  for (const auto& [allowed, number, arguments] : by_descriptor)
    expect(allowed && unmapped, number, arguments);
  const bool mapped = !unmapped;
  expect(mapped, SYS_pread64, {4, vmi::ram_base, ram, 0});
  expect(mapped, SYS_pwrite64, {4, vmi::ram_base + ram - page, page, 0});
  expect(false, SYS_pwrite64, {4, vmi::ram_base + ram - page, page + 1, 0});
}

TEST_P(FilterTest, TheWholeIsMappedAndStaysOnlyWhereTheProtectionSaysSo) {
  const std::uint64_t whole = sites_.mapping_bytes;
  const bool by_mmap = GetParam() == Protect::mmap, none = GetParam() == Protect::none;
  constexpr std::uint64_t end = 0x7fff'ffff'f000;
  expect(by_mmap, SYS_mmap, {vmi::window_base, whole, 7, fixed, 3, 0});
  expect(false, SYS_mmap, {vmi::window_base, whole, 7, fixed, 3, page});
  expect(!none, SYS_munmap, {vmi::window_end, end - vmi::window_end});
  expect(none, SYS_munmap, {vmi::window_base + whole, end - vmi::window_base - whole});
}

TEST_P(FilterTest, WhatTheMachineLacksIsNotAllowed) {
  auto expect_nothing = [&](std::vector<Example> calls) {
    rebuild();
    for (const auto& [allowed, number, arguments] : calls) expect(false, number, arguments);
    sites_ = sites(GetParam());
  };
  sites_.spaces = Spaces::remap;
  expect_nothing({{false, SYS_futex, {slot, FUTEX_WAKE, 1}},
                  {false, SYS_rt_sigprocmask, {SIG_SETMASK, in_window, 0, 8}},
                  {false, SYS_clone, {all_clone_flags, slot + 240, slot + 4, 0, 0}},
                  {false, SYS_prctl, {1, SIGKILL}},
                  {false, SYS_getppid, {}}});
  sites_.trap = Trap::sigsys;
  expect_nothing({{false, SYS_write, {5, in_window, 8}},
                  {false, SYS_mmap, {vmi::trampolines_low, 0x8000, 5, fixed, 3, 0x48000}}});
  sites_.block_read_only = true;
  expect_nothing({{false, SYS_pwrite64, {4, in_window, page, 0}},
                  {false, SYS_lseek, {4, page, 0}},
                  {false, SYS_sendfile, {4, 3, in_window, 64 * page}}});
  sites_.block_bytes = 0;
  expect_nothing({{false, SYS_pread64, {4, in_window, 0, 0}},
                  {false, SYS_fdatasync, {4}},
                  {false, SYS_lseek, {3, frames, 0}},
                  {false, SYS_sendfile, {3, 4, in_window, page}}});
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
  const int numbers[] = {SYS_mmap,          SYS_munmap,         SYS_mprotect, SYS_pread64,
                         SYS_pwrite64,      SYS_pwritev,        SYS_write,    SYS_read,
                         SYS_ppoll,         SYS_getrandom,      SYS_futex,    SYS_clone,
                         SYS_clock_gettime, SYS_rt_sigprocmask, SYS_lseek,    SYS_sendfile};
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

INSTANTIATE_TEST_SUITE_P(Protections, FilterTest,
                         ::testing::Values(Protect::mprotect, Protect::mmap, Protect::none),
                         [](const auto& info) {
                           return info.param == Protect::mprotect ? "mprotect"
                                  : info.param == Protect::mmap   ? "mmap"
                                                                  : "none";
                         });

}  // namespace
}  // namespace extended
