// What /proc/PID/stat, statm, status and maps say: the fields that ps, pgrep, top and shells read.
// Numbers that nobody keeps here are 0, as Linux has them for kernel threads.
#include "guest/base/clock.h"
#include "guest/drivers/terminal.h"
#include "guest/fs/proc/process.h"
#include "guest/mm/address_space.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

std::uint64_t kib_of(Pages pages) {
  return bytes_of(pages).number / 1024;
}

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

struct MemoryUse {
  Pages mapped, resident;
};

MemoryUse memory_of(const Process& process) {
  MemoryUse use;
  if (!process.space) return use;
  for (const Region* r = process.space->regions().first(); r; r = r->following())
    use.mapped += pages_between(r->va, r->end);
  use.resident = process.space->extents().total_pages();
  return use;
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

std::string_view region_name(const AddressSpace& space, const Region& region) {
  if (region.source.grows_down) return "[stack]";
  if (space.in_heap(region.va)) return "[heap]";
  return "";
}

}  // namespace

/// `own_cpu`: whose CPU time it is, the thread's or all of its process's.
static Result<String> stat_line(Thread& thread, std::uint64_t own_cpu) {
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
  TRY(add(line, "%lu 0 %lu 0 %d %d %u 0 %lu %lu %lu %lu ", ticks_to_ns(own_cpu) / ns_per_tick,
          ticks_to_ns(process.cpu.children) / ns_per_tick, 20 + process.nice, process.nice,
          threads_of(process), process.started_ns / ns_per_tick, bytes_of(memory.mapped).number,
          memory.resident.number, ~0ul));
  SignalSets sets = signals_of(thread);
  constexpr SignalSet shown = 0x7fff'ffff;  // the first 31
  TRY(add(line, "0 0 0 0 0 %lu %lu %lu %lu 0 0 0 %d 0 0 0 0 0 0 0 0 0 0 0 0 0 %d\n",
          (sets.pending | sets.shared) & shown, sets.blocked & shown, sets.ignored & shown,
          sets.caught & shown, process.exit_signal,
          process.state == Process::State::zombie ? process.wait_status : 0));
  return line;
}

Result<String> process_stat(Thread& thread) {
  return stat_line(thread, thread.process.own_cpu());
}
Result<String> thread_stat(Thread& thread) {
  return stat_line(thread, scheduler.cpu_ticks(thread));
}

Result<String> process_statm(Thread& thread) {
  const Process& process = thread.process;
  MemoryUse memory = memory_of(process);
  String line;
  TRY(add(line, "%lu %lu 0 0 0 %lu 0\n", memory.mapped.number, memory.resident.number,
          memory.mapped.number));
  return line;
}

Result<String> process_status(Thread& thread) {
  Process& process = thread.process;
  const Credentials& who = thread.credentials;
  char state = state_letter(thread);
  std::string_view name = thread.name;
  String text;
  TRY(add(text, "Name:\t%.*s\n", static_cast<int>(name.size()), name.data()));
  if (process.fs) TRY(add(text, "Umask:\t%04o\n", process.fs->umask));
  TRY(add(text, "State:\t%c (%s)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", state,
          state_word(state), process.pid, thread.tid, process.parent_pid()));
  TRY(add(text, "Uid:\t%u\t%u\t%u\t%u\n", who.uid, who.euid, who.suid, who.euid));
  TRY(add(text, "Gid:\t%u\t%u\t%u\t%u\nGroups:\t", who.gid, who.egid, who.sgid, who.egid));
  const std::size_t groups = who.groups ? who.groups->ids.size() : 0;
  constexpr std::size_t all_else = 1024;
  TRY(text.reserve(groups * sizeof "4294967295" + all_else));
  for (std::size_t i = 0; i < groups; ++i) TRY(add(text, i ? " %u" : "%u", who.groups->ids[i]));
  TRY(text.append(" \n"));
  if (process.space) {
    MemoryUse memory = memory_of(process);
    TRY(add(text, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n", kib_of(memory.mapped),
            kib_of(memory.resident)));
  }
  SignalSets sets = signals_of(thread);
  TRY(add(text, "Threads:\t%u\nSigPnd:\t%016lx\nShdPnd:\t%016lx\n", threads_of(process),
          sets.pending, sets.shared));
  TRY(add(text, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\nCpus_allowed:\t1\n",
          sets.blocked, sets.ignored, sets.caught));
  return text;
}

Result<String> process_maps(Thread& thread) {
  const Process& process = thread.process;
  String text;
  if (!process.space) return text;
  for (const Region* r = process.space->regions().first(); r; r = r->following()) {
    const RegionSource& source = r->source;
    PageSource::Identity file;
    if (source.backing) file = source.backing->identity();
    std::string_view name = region_name(*process.space, *r);
    TRY(add(text, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu %.*s\n", r->va, r->end,
            source.protection & vmi::prot_read ? 'r' : '-',
            source.protection & vmi::prot_write ? 'w' : '-',
            source.protection & vmi::prot_exec ? 'x' : '-', source.shared ? 's' : 'p',
            source.backing ? source.offset : 0, device_major(file.device),
            device_minor(file.device), file.inode, static_cast<int>(name.size()), name.data()));
  }
  return text;
}

}  // namespace guest
