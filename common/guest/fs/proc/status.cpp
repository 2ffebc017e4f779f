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

constexpr std::uint64_t page_kib = vmi::page_size / 1024;

char state_letter(const Process& process) {
  if (process.state == Process::State::zombie) return 'Z';
  if (process.state == Process::State::stopped) return 'T';
  return process.thread->state == Thread::State::runnable ? 'R' : 'S';
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

/// In pages.
struct MemoryUse {
  std::uint64_t mapped = 0, resident = 0;
};

MemoryUse memory_of(const Process& process) {
  MemoryUse use;
  if (!process.space) return use;
  for (const Region* r = process.space->regions().first(); r; r = r->following())
    use.mapped += pages_in(r->va, r->end);
  use.resident = process.space->extents().total_pages();
  return use;
}

struct SignalSets {
  SignalSet pending, blocked, ignored = 0, caught = 0;
};

SignalSets signals_of(const Process& process) {
  SignalSets sets{process.pending.set(), process.thread ? process.thread->blocked_signals : 0};
  for (int signal = 1; signal <= sig_last; ++signal) {
    std::uint64_t handler = process.actions[signal - 1].handler;
    if (handler == abi::handler_ignore)
      sets.ignored |= signal_bit(signal);
    else if (handler != abi::handler_default)
      sets.caught |= signal_bit(signal);
  }
  return sets;
}

std::string_view region_name(const AddressSpace& space, const Region& region) {
  if (region.source.grows_down) return "[stack]";
  if (space.in_heap(region.va)) return "[heap]";
  return "";
}

}  // namespace

std::string_view process_name(const Process& process) {
  constexpr std::size_t longest = sizeof Thread::name - 1;
  if (process.thread) return process.thread->name;
  std::string_view path = process.program ? process.program->path.view() : std::string_view();
  return path.substr(path.rfind('/') + 1, longest);
}

Result<String> process_stat(Process& process) {
  constexpr std::uint32_t console_device = 5 << 8 | 1;
  bool terminal = on_terminal(process);
  MemoryUse memory = memory_of(process);
  std::string_view name = process_name(process);
  String line;
  TRY(add(line, "%d (%.*s) %c %d %d %d %u %d 0 0 0 0 0 ", process.pid,
          static_cast<int>(name.size()), name.data(), state_letter(process), process.parent_pid(),
          process.group, process.session, terminal ? console_device : 0,
          terminal ? terminal_foreground() : -1));
  // CPU times, priority, nice value, threads, -, start, memory in bytes and pages.
  TRY(add(line, "%lu 0 %lu 0 %d %d 1 0 %lu %lu %lu %lu ",
          ticks_to_ns(process.own_cpu()) / ns_per_tick,
          ticks_to_ns(process.cpu.children) / ns_per_tick, 20 + process.nice, process.nice,
          process.started_ns / ns_per_tick, memory.mapped * vmi::page_size, memory.resident, ~0ul));
  SignalSets sets = signals_of(process);
  constexpr SignalSet shown = 0x7fff'ffff;  // the first 31
  TRY(add(line, "0 0 0 0 0 %lu %lu %lu %lu 0 0 0 %d 0 0 0 0 0 0 0 0 0 0 0 0 0 %d\n",
          sets.pending & shown, sets.blocked & shown, sets.ignored & shown, sets.caught & shown,
          process.exit_signal, process.state == Process::State::zombie ? process.wait_status : 0));
  return line;
}

Result<String> process_statm(Process& process) {
  MemoryUse memory = memory_of(process);
  String line;
  TRY(add(line, "%lu %lu 0 0 0 %lu 0\n", memory.mapped, memory.resident, memory.mapped));
  return line;
}

Result<String> process_status(Process& process) {
  const Credentials& who = process.credentials;
  char state = state_letter(process);
  std::string_view name = process_name(process);
  String text;
  TRY(add(text, "Name:\t%.*s\n", static_cast<int>(name.size()), name.data()));
  if (process.fs) TRY(add(text, "Umask:\t%04o\n", process.fs->umask));
  TRY(add(text, "State:\t%c (%s)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", state,
          state_word(state), process.pid, process.pid, process.parent_pid()));
  TRY(add(text, "Uid:\t%u\t%u\t%u\t%u\n", who.uid, who.euid, who.suid, who.euid));
  TRY(add(text, "Gid:\t%u\t%u\t%u\t%u\nGroups:\t", who.gid, who.egid, who.sgid, who.egid));
  const std::size_t groups = who.groups ? who.groups->ids.size() : 0;
  constexpr std::size_t all_else = 1024;
  TRY(text.reserve(groups * sizeof "4294967295" + all_else));
  for (std::size_t i = 0; i < groups; ++i) TRY(add(text, i ? " %u" : "%u", who.groups->ids[i]));
  TRY(text.append(" \n"));
  if (process.space) {
    MemoryUse memory = memory_of(process);
    TRY(add(text, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n", memory.mapped * page_kib,
            memory.resident * page_kib));
  }
  SignalSets sets = signals_of(process);
  TRY(add(text, "Threads:\t1\nSigPnd:\t%016x\nShdPnd:\t%016lx\n", 0, sets.pending));
  TRY(add(text, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\nCpus_allowed:\t1\n",
          sets.blocked, sets.ignored, sets.caught));
  return text;
}

Result<String> process_maps(Process& process) {
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
