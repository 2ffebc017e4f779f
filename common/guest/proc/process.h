// Process: one guest process, that is a group of threads. What the clone flags let processes share
// is behind Shares. The process table keeps every process, zombies included, until its parent has
// waited for it.
#pragma once

#include <cstdint>

#include "guest/abi/structs.h"
#include "guest/base/list.h"
#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/base/share.h"
#include "guest/heap/heap.h"
#include "guest/heap/string.h"
#include "guest/mm/frames.h"
#include "guest/proc/interval_timer.h"
#include "guest/proc/posix_timer.h"
#include "guest/proc/signal_handlers.h"
#include "guest/proc/thread.h"
#include "guest/sched/scheduler.h"
#include "guest/sched/wait_queue.h"
#include "guest/vfs/inode.h"

namespace guest {

class AddressSpace;  // mm/address_space.h
class FileTable;     // vfs/file_table.h: descriptors
class FsContext;     // vfs/fs_context.h: root, working directory, umask

inline constexpr std::uint32_t max_processes = 1024;
inline constexpr std::uint32_t max_threads = 2048;  // of all processes; a zombie is one, too
inline constexpr std::uint32_t kept_for_root = 16;  // of either
inline constexpr int pid_limit = 32768;             // all are below

/// What a process runs: shared by those forked from one another. Meanwhile nobody writes it.
struct Program : Counted, Allocated<HeapKind::process> {
  /// ETXTBSY: somebody does; ENOMEM.
  static Result<Ref<Program>> create(const Place& file, std::string_view name);
  ~Program() {
    if (file.inode) file.inode->allow_writes();
  }
  Place file;
  String name{HeapKind::process};  // when it was found
};

class Process : public Counted, public Allocated<HeapKind::process> {
 public:
  enum class State : std::uint8_t { alive, stopped, zombie };

  explicit Process(int pid);
  ~Process();

  // -- What its threads work with. Null once a zombie.
  Share<AddressSpace> space;
  Share<FileTable> files;
  Share<FsContext> fs;
  Share<SignalHandlers> handlers;
  Ref<Program> program;
  const std::uint64_t started_ns;

  // -- Its threads. The leader is the one that goes by the process's number: it is the first, lives
  // on as an object when it has ended before the others, and is the process's own from then on.
  List<Thread, &Thread::process_node> threads;
  Thread* leader = nullptr;
  std::uint32_t living = 0;    // threads that have not ended
  bool ending = false;         // exit_group, or a signal: wait_status is final, all are to end
  Thread* survivor = nullptr;  // its execve is under way: all others are to end
  WaitQueue thread_ended;      // where it waits for that
  [[nodiscard]] bool sole() const { return living == 1; }
  /// A thread made for this process is one of it from now on, the first one its leader.
  void add(Thread& thread);
  /// A thread that has ended goes off the list, and its number is free.
  void remove(Thread& thread);
  /// A thread takes the ended leader's place and number.
  void lead_by(Thread& thread);

  // -- Family.
  ListNode table_node;
  ListNode sibling_node;
  ListNode group_node, session_node;
  const int pid;
  int group, session;         // once in the table, changed by its move_to() alone
  Process* parent = nullptr;  // null for init
  bool executed = false;      // its own execve: its parent may not move it to other groups now
  List<Process, &Process::sibling_node> children;
  WaitQueue child_changed;  // wait4 of this process sleeps here
  [[nodiscard]] int parent_pid() const { return parent ? parent->pid : 0; }

  // -- End.
  State state = State::alive;
  WaitQueue continued;               // its threads sleep here while it is stopped
  WaitQueue ended;                   // told when it has become a zombie: pidfds
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
  PendingSignals pending;  // for whichever thread takes them

  // -- Timers.
  CpuTimers cpu_timers;  // those on its CPU time, whoever's they are
  Timer cpu_alarm;       // when one of these may be due
  Timer cpu_limit;
  IntervalTimer interval_timers[3];  // ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF
  List<PosixTimer, &PosixTimer::node> posix_timers;
  void stop_timers();

  int nice = 0;
  struct {
    std::int32_t policy = 0, priority = 0, io_priority = 0;
  } scheduling;                   // told, and without effect
  std::uint32_t personality = 0;  // the same
  // See out_of_memory.h. Only root may go below the least that root has set.
  int oom_score_adj = 0, least_oom_score_adj = 0;
  CpuTime cpu_of_earlier;     // of threads that are no longer listed
  CpuShares cpu_of_children;  // waited for
  /// Of all its threads, ever.
  [[nodiscard]] CpuTime cpu_time();
  const CpuShares& cpu_shares();
  /// The most memory it has had at once, in any program it has run; and of waited-for children.
  [[nodiscard]] Pages peak_memory() const;
  Pages peak_of_earlier, peak_of_children;
  abi::ResourceLimit limits[abi::resource_limits];
  /// Descriptors that it gets are below.
  [[nodiscard]] int open_limit() const {
    return static_cast<int>(limits[abi::limit_nofile].current);
  }

 private:
  CpuShares cpu_shares_;
};

inline Process& current_process() {
  return current_thread().process;
}

/// All processes.
class ProcessTable {
 public:
  /// A process with a fresh pid, in no family and not in the table yet. EAGAIN: there are no
  /// numbers; ENOMEM.
  Result<Ref<Process>> create();
  /// May this thread have another one beside it, of another process or of its own? EAGAIN: there
  /// are as many as can be, or its user has as many threads as its RLIMIT_NPROC says.
  [[nodiscard]] Result<> check_room(const Thread& parent, bool of_new_process);
  /// Makes process 1, whose child the first program's process is to be. It runs nothing, and no
  /// signal means anything to it; orphans become its children, whose status it wants not to know.
  Result<> make_init();
  /// From now on it can be found, and is in its group and session. The first one added by this is
  /// the first program's.
  void add(const Ref<Process>& process);
  /// Its group and session are numbers that go by somebody already.
  void move_to(Process& process, int group, int session);
  /// A zombie that has been waited for: its pid may be used again, unless a group or session still
  /// goes by it.
  void forget(Process& process);
  /// By its pid or any of its threads' tids, as Linux has it. nullptr: there is none.
  Process* find(int id);
  Thread* find_thread(int tid);
  Process& init() { return *init_; }
  /// With its end the machine ends.
  Process& first() { return *first_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  void count_thread() { ++threads_; }
  void uncount_thread() { --threads_; }

  using Processes = List<Process, &Process::table_node>;
  Processes& all() { return all_; }

 private:
  void list(const Ref<Process>& process);

  Processes all_;
  Process* init_ = nullptr;
  Process* first_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t threads_ = 0;
};

extern ProcessTable processes;

/// By pid or tid, 0 for the current one. ESRCH.
Result<Process*> process_or_self(int pid);

}  // namespace guest
