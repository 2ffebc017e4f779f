// The calls of the resident part, as it makes them, and as it never does: for each, what filter and
// observer say.
#include <set>

#include "extended-vmm/trap/host_call_numbers.h"
#include "extended-vmm/trap/host_calls.h"
#include "tests/unit/host/extended_filter_fixture.h"

namespace extended {
namespace {

class HostCallTest : public FilterTest {};

struct Example {
  bool allowed;
  int number;
  Arguments arguments;
};

constexpr std::uint64_t low_trampolines = vmi::trampolines_offset,
                        high_trampolines = low_trampolines + vmi::trampolines_low_bytes;

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
    {true,
     SYS_mmap,
     {vmi::trampolines_high, vmi::trampolines_high_bytes, 5, fixed, 3, high_trampolines}},
    {true,
     SYS_mmap,
     {vmi::trampolines_low, vmi::trampolines_low_bytes, 5, fixed, 3, low_trampolines}},
    {false,
     SYS_mmap,
     {vmi::trampolines_low, vmi::trampolines_low_bytes, 7, fixed, 3, low_trampolines}},
    {false,
     SYS_mmap,
     {vmi::trampolines_low, vmi::trampolines_low_bytes, 5, fixed, 3, high_trampolines}},
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
    {false, SYS_mprotect, {vmi::trampolines_high, vmi::trampolines_high_bytes, 7}},
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
    {true, SYS_write, {6, in_window, 8}},
    {false, SYS_write, {6, in_window, 9}},
    {false, SYS_write, {6, at_user, 8}},
    {false, SYS_write, {7, in_window, 8}},
    {false, SYS_write, {8, in_window, 8}},
    {true, SYS_read, {7, in_window, 8}},
    {false, SYS_read, {7, in_window, 16}},
    {false, SYS_read, {7, at_user, 8}},
    {false, SYS_read, {6, in_window, 8}},
    {true, SYS_read, {0, vmi::rings_base, 4096}},
    {false, SYS_read, {0, at_user, 4096}},
    {false, SYS_read, {1, vmi::rings_base, 4096}},
    {false, SYS_read, {0, vmi::window_end - 1, 4096}},
    {true, SYS_ppoll, {in_window, 4, 0, 0, 8}},
    {true, SYS_ppoll, {in_window, 0, in_window, 0, 8}},
    {false, SYS_ppoll, {in_window, 5, 0, 0, 8}},
    {false, SYS_ppoll, {vmi::window_end - 16, 1, 0, 0, 8}},
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
    {true, SYS_clone, {all_clone_flags, slot_stack, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags | SIGCHLD, slot_stack, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags | CLONE_VM, slot_stack, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags & ~CLONE_PARENT, slot_stack, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags & ~CLONE_PARENT_SETTID, slot_stack, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags | 1ull << 33, slot_stack, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags, 0, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags, at_user, slot + 4, 0, 0}},
    {false, SYS_clone, {all_clone_flags, slot_stack, in_window, 0, 0}},
    {false, SYS_clone, {all_clone_flags, slot_stack, slot + 4, slot, 0}},
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

TEST_P(HostCallTest, JudgesTheArgumentsOfCallsInTheWindow) {
  for (const auto& [allowed, number, arguments] : everywhere) expect(allowed, number, arguments);
}

TEST_P(HostCallTest, FramesGoByDescriptorWhereTheyAreNotMapped) {
  const bool unmapped = GetParam().protection == mprotect_policy.protection;
  for (const auto& [allowed, number, arguments] : by_descriptor)
    expect(allowed && unmapped, number, arguments);
  const bool mapped = !unmapped;
  expect(mapped, SYS_pread64, {4, vmi::ram_base, ram, 0});
  expect(mapped, SYS_pwrite64, {4, vmi::ram_base + ram - page, page, 0});
  expect(false, SYS_pwrite64, {4, vmi::ram_base + ram - page, page + 1, 0});
  // Trampolines are the monitor's alone.
  for (int number : {SYS_pread64, SYS_pwrite64}) {
    expect(true, number, {3, in_window, page, low_trampolines});
    expect(false, number, {3, at_user, page, low_trampolines});
    expect(false, number, {3, in_window, page, low_trampolines - 8});
    expect(false, number, {3, in_window, page, low_trampolines + vmi::trampolines_bytes - 8});
  }
  expect(false, SYS_mmap, {at_user, page, 3, fixed, 3, low_trampolines});
}

/// Slabs of the attic, where they do not come with the window: all of one, at its place.
constexpr std::uint64_t slab = vmi::attic_slab(5), last_slab = vmi::attic_slab(slabs - 1);
constexpr std::uint64_t slab_bytes = vmi::attic_slab_bytes;
constexpr std::uint64_t slab_memory = slab - vmi::window_base;
const Example slab_by_slab[] = {
    {true, SYS_mmap, {slab, slab_bytes, 3, fixed, 3, slab_memory}},
    {true, SYS_mmap, {last_slab, slab_bytes, 3, fixed, 3, last_slab - vmi::window_base}},
    {false, SYS_mmap, {slab, slab_bytes, 7, fixed, 3, slab_memory}},
    {false, SYS_mmap, {slab, slab_bytes, 0, fixed, 3, slab_memory}},
    {false, SYS_mmap, {slab, slab_bytes, 3, MAP_PRIVATE | MAP_FIXED, 3, slab_memory}},
    {false, SYS_mmap, {slab, slab_bytes, 3, fixed | MAP_POPULATE, 3, slab_memory}},
    {false, SYS_mmap, {slab, slab_bytes, 3, fixed, 4, slab_memory}},
    {false, SYS_mmap, {slab, slab_bytes, 3, fixed, 3, last_slab - vmi::window_base}},
    {false, SYS_mmap, {slab, slab_bytes, 3, fixed, 3, slab_memory | 1ull << 32}},
    {false, SYS_mmap, {slab, slab_bytes, 3, fixed, 3, 0}},
    {false, SYS_mmap, {slab, 2 * slab_bytes, 3, fixed, 3, slab_memory}},
    {false, SYS_mmap, {slab, page, 3, fixed, 3, slab_memory}},
    {false, SYS_mmap, {slab + page, slab_bytes, 3, fixed, 3, slab_memory + page}},
    {false, SYS_mmap, {at_user, slab_bytes, 3, fixed, 3, slab_memory}},
    {true, SYS_mprotect, {slab, slab_bytes, 3}},
    {true, SYS_mprotect, {vmi::attic_base, slab_bytes, 0}},
    {true, SYS_mprotect, {last_slab, slab_bytes, 0}},
    {false, SYS_mprotect, {slab, slab_bytes, 1}},
    {false, SYS_mprotect, {slab, slab_bytes, 7}},
    {false, SYS_mprotect, {slab, slab_bytes, 3 | 1ull << 32}},
    {false, SYS_mprotect, {slab, slab_bytes - page, 3}},
    {false, SYS_mprotect, {slab, slab_bytes | 1ull << 32, 3}},
    {false, SYS_mprotect, {slab + slab_bytes, slab_bytes, 3}},
    {false, SYS_mprotect, {slab - page, slab_bytes, 3}},
    {false, SYS_mprotect, {slab ^ 1ull << 63, slab_bytes, 3}},
    {false, SYS_mprotect, {slab + (1ull << 32), slab_bytes, 3}},
    {false, SYS_mmap, {slab & 0xffffffff, slab_bytes, 3, fixed, 3, slab_memory}},
    {false, SYS_mprotect, {last_slab + vmi::attic_slab_stride, slab_bytes, 3}},
    {false, SYS_mprotect, {vmi::attic_base - vmi::attic_slab_stride, slab_bytes, 3}},
    {true, SYS_madvise, {slab, slab_bytes, 25}},
    {false, SYS_madvise, {slab, slab_bytes, MADV_REMOVE}},
    {false, SYS_madvise, {slab, page, 25}},
    {false, SYS_madvise, {vmi::window_base, vmi::window_size, 25}},
    {false, SYS_munmap, {slab, slab_bytes}},
    {true, SYS_pread64, {3, slab + 8, 300, frames}},
    {true, SYS_pwrite64, {3, slab + 8, 300, frames}},
    {false, SYS_pwrite64, {3, slab + 8, 300, slab_memory}},
    {false, SYS_pread64, {3, vmi::attic_base - 1, 2, frames}},
    {false, SYS_write, {2, slab, 8}},
};

TEST_P(HostCallTest, TheAtticIsMappedAndOpenedSlabBySlab) {
  for (const auto& [allowed, number, arguments] : slab_by_slab)
    expect(allowed && GetParam().protection == mprotect_policy.protection, number, arguments);
}

TEST_P(HostCallTest, TheWholeIsMappedAndStaysOnlyWhereTheProtectionSaysSo) {
  const std::uint64_t whole = sites_.mapping_bytes;
  const bool by_mmap = GetParam().protection == mmap_policy.protection,
             none = GetParam().protection == none_policy.protection;
  constexpr std::uint64_t end = 0x7fff'ffff'f000;
  expect(by_mmap, SYS_mmap, {vmi::window_base, whole, 7, fixed, 3, 0});
  expect(false, SYS_mmap, {vmi::window_base, whole, 7, fixed, 3, page});
  expect(!none, SYS_munmap, {vmi::window_end, end - vmi::window_end});
  expect(none, SYS_munmap, {vmi::window_base + whole, end - vmi::window_base - whole});
}

TEST_P(HostCallTest, WhatTheMachineLacksIsNotAllowed) {
  auto expect_nothing = [&](std::vector<Example> calls) {
    rebuild();
    for (const auto& [allowed, number, arguments] : calls) expect(false, number, arguments);
    sites_ = sites(GetParam());
  };
  sites_.spaces = Spaces::remap;
  expect_nothing({{false, SYS_futex, {slot, FUTEX_WAKE, 1}},
                  {false, SYS_rt_sigprocmask, {SIG_SETMASK, in_window, 0, 8}},
                  {false, SYS_clone, {all_clone_flags, slot_stack, slot + 4, 0, 0}},
                  {false, SYS_prctl, {1, SIGKILL}},
                  {false, SYS_getppid, {}}});
  sites_.trap = Trap::sigsys;
  expect_nothing(
      {{false, SYS_write, {5, in_window, 8}},
       {false, SYS_pwrite64, {3, in_window, page, low_trampolines}},
       {false,
        SYS_mmap,
        {vmi::trampolines_low, vmi::trampolines_low_bytes, 5, fixed, 3, low_trampolines}}});
  sites_.has_sockets = false;
  expect_nothing({{false, SYS_write, {6, in_window, 8}}, {false, SYS_read, {7, in_window, 8}}});
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

/// The numbers that code may name are those that the table has lines for, in some machine.
TEST(HostCallNumbers, AreThoseOfTheTable) {
  std::set<std::uint64_t> listed(std::begin(host_call_numbers), std::end(host_call_numbers)), lines;
  EXPECT_EQ(listed.size(), std::size(host_call_numbers));
  for (const Policy& policy : policies)
    for (const HostCallRule& rule : window_calls(sites(policy))) lines.insert(rule.number);
  EXPECT_EQ(lines, listed);
}

INSTANTIATE_TEST_SUITE_P(Protections, HostCallTest, all_protections, name_of);

}  // namespace
}  // namespace extended
