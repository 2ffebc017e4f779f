// /proc: see the header. The table below is the whole tree but for the processes.
#include "guest/fs/proc/tree.h"

#include "guest/base/log.h"
#include "guest/base/panic.h"
#include "guest/drivers/entropy.h"
#include "guest/fs/events/inotify.h"
#include "guest/fs/proc/locks.h"
#include "guest/fs/proc/machine.h"
#include "guest/fs/proc/net.h"
#include "guest/fs/proc/process.h"
#include "guest/fs/proc/sys_tree.h"
#include "guest/fs/proc/text_tree.h"
#include "guest/mm/region_map.h"
#include "guest/net/backlog.h"
#include "guest/net/inet/ports.h"
#include "guest/proc/system_name.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/open_files.h"

namespace guest {
namespace {

Result<String> filesystems() {
  return String::from("nodev\ttmpfs\nnodev\tproc\nnodev\tsysfs\n\text2\n");
}
Result<String> version() {
  String line;
  TRY(add(line, "%s version %s %s\n", system_type, system_release, system_version));
  return line;
}
Result<String> swaps() {
  return line_of("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority");
}
Result<String> devices() {
  return line_of(
      "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n  8 sd");
}
Result<String> self() {
  String pid;
  TRY(add(pid, "%d", current_process().pid));
  return pid;
}
Result<String> thread_self() {
  String path;
  TRY(add(path, "%d/task/%d", current_process().pid, current_thread().tid));
  return path;
}
Result<String> own_mounts() {
  return String::from("self/mounts");
}
Result<String> file_nr() {
  String line;
  TRY(add(line, "%u\t0\t%u\n", open_files.count(), OpenFiles::most));
  return line;
}

Result<String> local_port_range() {
  String line;
  TRY(add(line, "%u\t%u\n", Ports::first_free, Ports::last_free));
  return line;
}

/// A new UUID of the random kind.
Result<String> uuid() {
  unsigned char random[16];
  fill_random(random, sizeof random);
  random[6] = static_cast<unsigned char>((random[6] & 0x0f) | 0x40);
  random[8] = static_cast<unsigned char>((random[8] & 0x3f) | 0x80);
  String line;
  for (std::size_t i = 0; i < sizeof random; ++i)
    TRY(add(line, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", random[i]));
  TRY(line.append("\n"));
  return line;
}

template <std::uint64_t number>
Result<String> fixed() {
  return number_line(number);
}
template <const char* text>
Result<String> named() {
  return line_of(text);
}
constexpr char no_domain[] = "(none)", core_name[] = "core";

/// Linux's emergency keys, the one that a virtual machine is likely to be sent: 'c' crashes the
/// kernel, so that what follows a crash can be tried out.
Result<> sysrq(char key) {
  if (key == 'c') panic("crash asked for through /proc/sysrq-trigger");
  return {};
}

constexpr std::uint32_t file = mode_regular | 0444, link = mode_symlink | 0777;
constexpr TextEntry tree[] = {
    {""},
    {"cpuinfo", file, machine_cpuinfo},
    {"devices", file, devices},
    {"diskstats", file, machine_diskstats},
    {"filesystems", file, filesystems},
    {"loadavg", file, machine_loadavg},
    {"locks", file, machine_locks},
    {"meminfo", file, machine_meminfo},
    {"mounts", link, own_mounts},
    {"net"},
    {"net/dev", file, net_dev},
    {"net/if_inet6", file, net_if_inet6},
    {"net/route", file, net_route},
    {"net/tcp", file, net_tcp},
    {"net/tcp6", file, net_tcp6},
    {"net/udp", file, net_udp},
    {"net/udp6", file, net_udp6},
    {"net/unix", file, net_unix},
    {"partitions", file, machine_partitions},
    {"self", link, self},
    {"stat", file, machine_stat},
    {"swaps", file, swaps},
    {"sys"},
    {"sys/fs"},
    {"sys/fs/file-max", file, fixed<OpenFiles::most>},
    {"sys/fs/file-nr", file, file_nr},
    {"sys/fs/inotify"},
    {"sys/fs/inotify/max_queued_events", file, fixed<Inotify::most_queued>},
    {"sys/fs/inotify/max_user_instances", file, fixed<OpenFiles::most>},
    {"sys/fs/inotify/max_user_watches", file, fixed<Inotify::most_watches>},
    {"sys/fs/nr_open", file, fixed<FileTable::most>},
    {"sys/fs/pipe-max-size", file, fixed<65536>},
    {"sys/kernel"},
    {"sys/kernel/core_pattern", file, named<core_name>},
    {"sys/kernel/domainname", file, named<no_domain>},
    {"sys/kernel/hostname", file, named<system_node>},
    {"sys/kernel/ngroups_max", file, fixed<65536>},
    {"sys/kernel/osrelease", file, named<system_release>},
    {"sys/kernel/ostype", file, named<system_type>},
    {"sys/kernel/pid_max", file, fixed<pid_limit>},
    {"sys/kernel/random"},
    {"sys/kernel/random/uuid", file, uuid},
    {"sys/kernel/randomize_va_space", file, fixed<0>},
    {"sys/kernel/threads-max", file, fixed<max_threads>},
    {"sys/kernel/version", file, named<system_version>},
    {"sys/net"},
    {"sys/net/core"},
    {"sys/net/core/somaxconn", file, fixed<Backlog::largest>},
    {"sys/net/ipv4"},
    {"sys/net/ipv4/ip_local_port_range", file, local_port_range},
    {"sys/vm"},
    {"sys/vm/max_map_count", file, fixed<most_regions>},
    {"sys/vm/mmap_min_addr", file, fixed<65536>},
    {"sys/vm/overcommit_memory", file, fixed<0>},
    {"sysrq-trigger", mode_regular | 0200, nullptr, sysrq},
    {"thread-self", link, thread_self},
    {"uptime", file, machine_uptime},
    {"version", file, version},
    {"vmstat", file, machine_vmstat},
};

/// The root: behind the table's files come the processes.
class ProcRoot final : public TextTree {
 public:
  explicit ProcRoot(Ref<Inode> above) : TextTree(device_of_proc, tree, 0, std::move(above)) {}

  Result<Ref<Inode>> lookup(std::string_view name) override {
    auto found = TextTree::lookup(name);
    if (found.ok() || found.error() != Errno::noent) return found;
    return make_process_directory(name, Ref<Inode>(this));
  }
  Result<DirectoryEntry> entry(std::uint64_t& position) override {
    if (position < first_process) {
      auto found = TextTree::entry(position);
      if (found.ok() || found.error() != Errno::noent) return found;
    }
    return process_entry(position);
  }

 private:
  static constexpr std::uint64_t first_process = 0x1000;  // position of pid 0
  Result<DirectoryEntry> process_entry(std::uint64_t& position);
  char name_[12] = {};  // of the process told last
};

/// In the order of their pids, which are their positions.
Result<DirectoryEntry> ProcRoot::process_entry(std::uint64_t& position) {
  const std::uint64_t wanted = position < first_process ? 1 : position - first_process;
  int next = 0;
  for (Process& process : processes.all())
    if (static_cast<std::uint64_t>(process.pid) >= wanted && (next == 0 || process.pid < next))
      next = process.pid;
  if (next == 0) return Errno::noent;
  position = first_process + static_cast<std::uint64_t>(next) + 1;
  format_text(name_, sizeof name_, "%d", next);
  return DirectoryEntry{name_, proc_number(next), mode_directory};
}

}  // namespace

Result<> mount_proc_and_sys(RamDirectory& root) {
  TRY(root.attach("proc", Ref<Inode>(TRY(make_ref<ProcRoot>(Ref<Inode>(&root))))));
  return root.attach("sys", TRY(make_sys(Ref<Inode>(&root))));
}

}  // namespace guest
