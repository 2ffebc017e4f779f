// What a VMM is asked to run, and what it says afterwards. The tool fills a MachineConfig, calls
// run_baseline / run_extended / run_standalone, and gets an Outcome: one interface, three siblings.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "monitor/machine/fill.h"
#include "monitor/machine/kind.h"
#include "monitor/outside/rules.h"
#include "monitor/root/tree.h"

namespace monitor {

/// Where standalone finds the files of a disk image: unpacked, on the image's own file system, so
/// that reading and flushing cost what they cost there.
struct HostRoot {
  std::string tree;     // never written to while the host has an overlay file system
  std::string scratch;  // an empty folder beside it, for what the program writes
};
class DebugStub;  // debug_stub.h
class Terminal;   // terminal.h

struct MachineConfig {
  Config config;                           // of a kind whose `run` it is given to
  const RootTree* root = nullptr;          // files of the guest, unless they come from an image:
  std::string block_image = {};            // a raw ext2 image on the host; "" when there is none
  bool block_read_only = false;            // the guest must not write it
  std::optional<HostRoot> host_root = {};  // standalone: the same image, unpacked
  std::vector<std::string> argv = {};      // argv[0] is a path in the root tree
  std::vector<std::string> env = {};       // "K=V"
  OutsideRules outside = {};               // what of the host's network it is given
  std::uint64_t memory_bytes = 1ul << 30;
  Fill fill = Fill::before;
  std::optional<double> timeout_seconds = {};
  int cpu = -1;                   // host CPU for everything of the guest; -1: the last allowed one
  bool trace_syscalls = false;    // the guest prints its system calls on stderr
  bool account = false;           // keep account of the guest's time (Outcome::cycles)
  Terminal* terminal = nullptr;   // stdin and stdout, raw: the guest does the line discipline
  DebugStub* debugger = nullptr;  // gdb has the guest-machine process
  bool observe = false;           // tests: record every host call the guest-machine process makes
};

/// A marker's stamp. `host_ns` is the host's CLOCK_MONOTONIC; `text` as the workload wrote it.
struct Marker {
  std::uint64_t host_ns;
  std::string text;
};

/// A host call seen by the observer (MachineConfig::observe): what really reached the host.
struct ObservedCall {
  std::uint64_t ip;    // address after the syscall instruction
  std::uint32_t arch;  // AUDIT_ARCH_
  std::uint64_t number;
  std::uint64_t arguments[6];
  std::uint64_t count;  // identical ones are folded
  bool in_kernel;       // made with the window open
  bool allowed;         // by the monitor's own rules, judged independently of its filter
};

/// A system call's: of `calls`, `trapped` cost a host trap; `cycles` of the guest kernel's own,
/// with MachineConfig::account.
struct SystemCallAccount {
  std::uint64_t calls = 0, trapped = 0, cycles = 0;
  friend bool operator==(const SystemCallAccount&, const SystemCallAccount&) = default;
};

struct Outcome {
  /// Exit status of the first process; 128 + n when signal n killed it; 124 timeout; 125 the
  /// machine itself failed (panic, host trouble): then `failure` says what happened.
  int exit_status = 0;
  std::string failure;

  double prefault_seconds = 0;  // filling guest RAM, before the clock starts
  double boot_seconds = 0;      // monitor start to the first process's first instruction
  double wall_seconds = 0;      // first instruction to the end
  double cpu_seconds = 0;       // user + system of all host processes of the guest
  std::uint64_t rss_bytes = 0;  // peak, of the largest
  bool window_is_huge = false;  // the window's collapse into 2 MiB pages worked
  std::vector<Marker> markers;
  std::map<std::string, std::uint64_t> counters;          // VMI counters and the monitor's own
  std::map<std::string, std::uint64_t> unknown_syscalls;  // name (or number) -> times
  std::map<std::string, std::uint64_t> host_calls;        // by name: of the window's code
  std::map<std::string, SystemCallAccount> system_calls;  // of the guest, by name
  // With MachineConfig::account: TSC cycles by account (vmi/accounts.h), and how many make a
  // second.
  std::map<std::string, std::uint64_t> cycles;
  double cycles_per_second = 0;
  std::uint64_t shortest_trapped_stay = 0;  // cycles: of a trap's cost, `user` has at most so much
  std::vector<std::string> warnings;        // e.g. 4 KiB window, and its price
  std::vector<ObservedCall> observed;
};

Outcome run_standalone(const MachineConfig&);
Outcome run_baseline(const MachineConfig&);
Outcome run_extended(const MachineConfig&);

}  // namespace monitor
