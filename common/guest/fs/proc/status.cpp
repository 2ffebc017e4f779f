// What /proc/PID/stat and status say: the fields that ps, pgrep, top and shells read.
// Numbers that nobody keeps here are 0, as Linux has them for kernel threads.
#include "guest/base/clock.h"
#include "guest/drivers/terminal.h"
#include "guest/fs/proc/process.h"
#include "guest/proc/credentials.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

char state_letter(const Thread& thread) {
  if (thread.ended) return 'Z';
  if (thread.process.state == Process::State::stopped) return 'T';
  return thread.state == Thread::State::runnable ? 'R' : 'S';
}

const char* state_word(char letter) {
  switch (letter) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'T':
      return "stopped";
    default:
      return "zombie";
  }
}

struct SignalSets {
  SignalSet pending, shared, blocked, ignored = 0, caught = 0;
};

SignalSets signals_of(const Thread& thread) {
  const Process& process = thread.process;
  SignalSets sets{thread.pending.set(), process.pending.set(), thread.blocked_signals};
  for (int signal = 1; process.handlers && signal <= sig_last; ++signal) {
    std::uint64_t handler = process.handlers->of(signal).handler;
    if (handler == abi::handler_ignore)
      sets.ignored |= signal_bit(signal);
    else if (handler != abi::handler_default)
      sets.caught |= signal_bit(signal);
  }
  return sets;
}

std::uint32_t threads_of(Process& process) {
  std::uint32_t count = 0;
  for ([[maybe_unused]] Thread& thread : process.threads) ++count;
  return count;
}

}  // namespace

/// `own`: whose CPU time it is, the thread's or all of its process's.
static Result<String> stat_line(Thread& thread, const CpuShares& own) {
  Process& process = thread.process;
  constexpr std::uint32_t console_device = 5 << 8 | 1;
  bool terminal = on_terminal(process);
  MemoryUse memory = memory_of(process);
  std::string_view name = thread.name;
  String line;
  TRY(add(line, "%d (%.*s) %c %d %d %d %u %d 0 0 0 0 0 ", thread.tid, static_cast<int>(name.size()),
          name.data(), state_letter(thread), process.parent_pid(), process.group, process.session,
          terminal ? console_device : 0, terminal ? terminal_foreground() : -1));
  // CPU times, priority, nice value, threads, -, start, memory in bytes and pages.
  const CpuShares& children = process.cpu_of_children;
  for (std::uint64_t ticks : {own.user, own.system, children.user, children.system})
    TRY(add(line, "%lu ", ticks_to_ns(ticks) / ns_per_tick));
  TRY(add(line, "%d %d %u 0 %lu %lu %lu %lu ", 20 + process.nice, process.nice, threads_of(process),
          process.started_ns / ns_per_tick, bytes_of(memory.mapped).number, memory.resident.number,
          ~0ul));
  SignalSets sets = signals_of(thread);
  constexpr SignalSet shown = 0x7fff'ffff;  // the first 31
  TRY(add(line, "0 0 0 0 0 %lu %lu %lu %lu 0 0 0 %d 0 0 0 0 0 0 0 0 0 0 0 0 0 %d\n",
          (sets.pending | sets.shared) & shown, sets.blocked & shown, sets.ignored & shown,
          sets.caught & shown, process.exit_signal,
          process.state == Process::State::zombie ? process.wait_status : 0));
  return line;
}

Result<String> process_stat(Thread& thread) {
  return stat_line(thread, thread.process.cpu_shares());
}
Result<String> thread_stat(Thread& thread) {
  return stat_line(thread, scheduler.cpu_shares(thread));
}

Result<String> process_status(Thread& thread) {
  Process& process = thread.process;
  const Credentials& who = thread.credentials;
  char state = state_letter(thread);
  std::string_view name = thread.name;
  String text;
  TRY(add(text, "Name:\t%.*s\n", static_cast<int>(name.size()), name.data()));
  if (process.fs) TRY(add(text, "Umask:\t%04o\n", process.fs->umask));
  TRY(add(text, "State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", state,
          state_word(state), process.pid, thread.tid, process.parent_pid()));
  TRY(add(text, "Uid:\t%u\t%u\t%u\t%u\n", who.uid, who.euid, who.suid, who.euid));
  TRY(add(text, "Gid:\t%u\t%u\t%u\t%u\nFDSize:\t64\nGroups:\t", who.gid, who.egid, who.sgid,
          who.egid));
  const std::size_t groups = who.groups ? who.groups->ids.size() : 0;
  constexpr std::size_t all_else = 1024;
  TRY(text.reserve(groups * sizeof "4294967295" + all_else));
  for (std::size_t i = 0; i < groups; ++i) TRY(add(text, i ? " %u" : "%u", who.groups->ids[i]));
  TRY(text.append(" \n"));
  TRY(add(text, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", process.pid, thread.tid,
          process.group, process.session));
  TRY(add_memory_lines(text, process));
  SignalSets sets = signals_of(thread);
  TRY(add(text, "Threads:\t%u\nSigQ:\t%u/%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\n",
          threads_of(process), process.pending.queued(),
          process.limits[abi::limit_sigpending].current, sets.pending, sets.shared));
  TRY(add(text, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", sets.blocked, sets.ignored,
          sets.caught));
  const std::uint64_t capable = who.euid == 0 ? all_capabilities : 0;
  const std::uint64_t may_be = who.uid == 0 || who.suid == 0 ? all_capabilities : capable;
  TRY(add(text, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n", 0ul, may_be,
          capable, all_capabilities));
  TRY(add(text, "CapAmb:\t%016lx\nNoNewPrivs:\t%d\nCpus_allowed:\t1\n", 0ul,
          thread.credentials.no_new_privs));
  TRY(text.append("Cpus_allowed_list:\t0\nMems_allowed:\t1\nMems_allowed_list:\t0\n"));
  TRY(text.append("voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n"));
  return text;
}

}  // namespace guest
