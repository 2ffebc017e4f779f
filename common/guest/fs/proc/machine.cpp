// What /proc says of memory, time and the disk of the machine: see machine.h. Called at each read.
// Numbers that nobody keeps here are 0.
#include "guest/fs/proc/machine.h"

#include "guest/base/clock.h"
#include "guest/drivers/block.h"
#include "guest/fs/proc/text_tree.h"
#include "guest/heap/heap.h"
#include "guest/mm/frames.h"
#include "guest/platform.h"
#include "guest/proc/ids.h"
#include "guest/proc/process.h"

namespace guest {
namespace {

struct Load {
  std::uint64_t threads = 0, runnable = 0;
};

Load load_now() {
  Load load;
  for (Process& process : processes.all()) {
    for (Thread& thread : process.threads) {
      ++load.threads;
      load.runnable += thread.state == Thread::State::runnable;
    }
  }
  return load;
}

/// Of the one CPU. What was nobody's time counts as idle.
struct Hours {
  std::uint64_t user_ns, system_ns, idle_ns;
};
Hours hours_now() {
  const CpuShares& busy = scheduler.cpu_shares();
  const std::uint64_t user = ticks_to_ns(busy.user), system = ticks_to_ns(busy.system);
  const std::uint64_t all = monotonic_ns();
  return {user, system, all > user + system ? all - user - system : 0};
}

Result<> add_hundredths(String& text, std::uint64_t ns, const char* end) {
  const std::uint64_t hundredths = ns / ns_per_tick;
  return add(text, "%lu.%02lu%s", hundredths / 100, hundredths % 100, end);
}

}  // namespace

/// Slab is the kernel's heap, which lies outside of MemTotal.
Result<String> machine_meminfo() {
  const std::uint64_t total = bytes_of(frames_total()).number / 1024;
  const std::uint64_t free = bytes_of(frames_free()).number / 1024;
  const std::uint64_t slab = heap_use().used / 1024;
  const struct {
    const char* name;
    std::uint64_t kib;
  } lines[] = {
      {"MemTotal:       ", total}, {"MemFree:        ", free}, {"MemAvailable:   ", free},
      {"Buffers:        ", 0},     {"Cached:         ", 0},    {"SwapCached:     ", 0},
      {"Active:         ", 0},     {"Inactive:       ", 0},    {"SwapTotal:      ", 0},
      {"SwapFree:       ", 0},     {"Dirty:          ", 0},    {"Writeback:      ", 0},
      {"AnonPages:      ", 0},     {"Mapped:         ", 0},    {"Shmem:          ", 0},
      {"Slab:           ", slab},  {"SReclaimable:   ", 0},    {"SUnreclaim:     ", slab},
      {"CommitLimit:    ", total}, {"Committed_AS:   ", 0},
  };
  String text;
  for (const auto& line : lines) TRY(add(text, "%s%8lu kB\n", line.name, line.kib));
  return text;
}

Result<String> machine_uptime() {
  String text;
  TRY(add_hundredths(text, monotonic_ns(), " "));
  TRY(add_hundredths(text, hours_now().idle_ns, "\n"));
  return text;
}

Result<String> machine_loadavg() {
  const Load load = load_now();
  String text;
  for (int i = 0; i < LoadAverage::spans; ++i) {
    const std::uint64_t average = scheduler.load_average(i) + LoadAverage::one / 200;
    TRY(add(text, "%lu.%02lu ", average / LoadAverage::one,
            average % LoadAverage::one * 100 / LoadAverage::one));
  }
  TRY(add(text, "%lu/%lu %d\n", load.runnable, load.threads, ids.newest()));
  return text;
}

Result<String> machine_stat() {
  const Load load = load_now();
  const Hours cpu = hours_now();
  String text;
  for (const char* name : {"cpu ", "cpu0"})
    TRY(add(text, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name, cpu.user_ns / ns_per_tick,
            cpu.system_ns / ns_per_tick, cpu.idle_ns / ns_per_tick));
  const vmi::Counters& counters = shared_info().counters;
  TRY(add(text, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %lu\n",
          counters.upcalls_interrupt, counters.context_switches,
          (realtime_ns() - monotonic_ns()) / ns_per_second, counters.forks + 1, load.runnable));
  TRY(add(text, "procs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n"));
  return text;
}

Result<String> machine_vmstat() {
  String text;
  TRY(add(text, "nr_free_pages %lu\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault %lu\n",
          std::uint64_t{frames_free().number}, shared_info().counters.page_faults_served));
  TRY(add(text, "pgmajfault 0\noom_kill 0\n"));
  return text;
}

// The disk is where Linux has its first one, and has no parts.
Result<String> machine_partitions() {
  String text = TRY(line_of("major minor  #blocks  name\n"));
  if (BlockDevice* disk = machine_disk())
    TRY(add(text, "   8        0 %10lu sda\n", disk->bytes() / 1024));
  return text;
}

Result<String> machine_diskstats() {
  return machine_disk() ? line_of("   8       0 sda 0 0 0 0 0 0 0 0 0 0 0")
                        : Result<String>(String());
}

}  // namespace guest
