// Process: one guest process. What the clone flags let processes share is behind Refs. It has one
// thread; threads of one group come later, and would share the Process. The process table keeps
// every process, zombies included, until its parent has waited for it.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/list.h"
#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/heap/string.h"
#include "guest/proc/credentials.h"
#include "guest/proc/posix_timer.h"
#include "guest/proc/signal.h"
#include "guest/proc/thread.h"
#include "guest/sched/scheduler.h"
#include "guest/sched/wait_queue.h"

namespace guest {

class AddressSpace;  // mm/address_space.h
class FileTable;     // fs/file_table.h: descriptors
class FsContext;     // fs/fs_context.h: root, working directory, umask

inline constexpr std::uint32_t max_processes = 512;
inline constexpr int pid_limit = 32768;  // all are below

/// CPU time in TSC ticks: own (of ended threads; add the running one's) and of waited-for children.
struct CpuTime {
  std::uint64_t own = 0;
  std::uint64_t children = 0;
};

/// What a process runs, for /proc: shared by those forked from one another.
struct ProgramName : Counted {
  String path;       // absolute, symlinks resolved
  String arguments;  // argv, each with its NUL; cut where it gets long
};

class Process : public Counted {
 public:
  enum class State : std::uint8_t { alive, stopped, zombie };

  explicit Process(int pid);
  ~Process();

  // -- What it works with. Null once a zombie.
  Ref<AddressSpace> space;
  Ref<FileTable> files;
  Ref<FsContext> fs;
  Thread* thread = nullptr;
  Ref<ProgramName> program;  // survives; none if memory was short
  const std::uint64_t started_ns;

  // -- Family.
  ListNode table_node;
  ListNode sibling_node;
  const int pid;
  int group, session;
  Process* parent = nullptr;  // null for the first process
  List<Process, &Process::sibling_node> children;
  WaitQueue child_changed;  // wait4 of this process sleeps here
  [[nodiscard]] int parent_pid() const { return parent ? parent->pid : 0; }

  // -- End.
  State state = State::alive;
  bool stop_unreported = false;      // for WUNTRACED
  bool continue_unreported = false;  // for WCONTINUED
  int wait_status = 0;               // as wait4 reports it
  int exit_signal = sig_chld;        // what the parent gets
  int death_signal = 0;              // what it gets at the parent's end; 0: none
  bool holds_vfork_parent = false;   // until execve or exit
  WaitQueue vfork_done;
  /// The memory lent by the parent is no longer used.
  void release_vfork_parent();

  // -- Signals.
  abi::SignalAction actions[sig_last] = {};
  PendingSignals pending;
  Timer alarm;
  std::uint64_t alarm_interval_ns = 0;
  List<PosixTimer, &PosixTimer::node> posix_timers;

  Credentials credentials;
  int nice = 0;
  CpuTime cpu;
  /// Its own, the running thread's included. TSC ticks.
  [[nodiscard]] std::uint64_t own_cpu() const {
    return thread ? scheduler.cpu_ticks(*thread) : cpu.own;
  }
  abi::ResourceLimit limits[abi::resource_limits];
};

inline Process& current_process() {
  return current_thread().process;
}

/// All processes.
class ProcessTable {
 public:
  /// A process with a fresh pid, in no family and not in the table yet. EAGAIN: there are
  /// max_processes; ENOMEM.
  Result<Ref<Process>> create();
  /// From now on it can be found. The first one added is the first process.
  void add(const Ref<Process>& process);
  /// A zombie that has been waited for: its pid may be used again.
  void forget(Process& process);
  Process* find(int pid);
  Process& first() { return *first_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }

  using Processes = List<Process, &Process::table_node>;
  Processes& all() { return all_; }

 private:
  int next_free_pid();

  Processes all_;
  Process* first_ = nullptr;
  int last_pid_ = 0;
  std::uint32_t count_ = 0;
};

extern ProcessTable processes;

/// By pid, 0 for the current one. ESRCH.
Result<Process*> process_or_self(int pid);

}  // namespace guest
