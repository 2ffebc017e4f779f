// /proc: see the header. The table below is the whole tree: a node names its directory.
#include "guest/fs/proc/tree.h"

#include "guest/base/clock.h"
#include "guest/base/log.h"
#include "guest/base/panic.h"
#include "guest/fs/proc/process.h"
#include "guest/heap/heap.h"
#include "guest/mm/region_map.h"
#include "guest/platform.h"
#include "guest/proc/system_name.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/mounts.h"
#include "guest/vfs/open_files.h"

namespace guest {
namespace {

Result<String> line_of(const char* text) {
  String line;
  TRY(add(line, "%s\n", text));
  return line;
}

// Nothing here updates access times. Below a disk's root lie parts of the boot tree; without a disk
// all of that is the root, but for /proc.
Result<String> mounts() {
  const RootMount& root = root_mount();
  String text;
  TRY(add(text, "%s / %s %s,noatime 0 0\n", root.source, root.type,
          root.root->check_writable().ok() ? "rw" : "ro"));
  if (mount_count() == 0) TRY(text.append("proc /proc proc rw,noatime 0 0\n"));
  for (std::size_t i = 0; i < mount_count(); ++i) {
    std::string_view name = mount_name(i);
    const char* type = name == "proc" ? "proc" : "tmpfs";
    TRY(add(text, "%s /%.*s %s rw,noatime 0 0\n", type, static_cast<int>(name.size()), name.data(),
            type));
  }
  return text;
}

/// Slab is the kernel's heap, which lies outside of MemTotal.
Result<String> meminfo() {
  const std::uint64_t total = bytes_of(frames_total()).number / 1024;
  const std::uint64_t free = bytes_of(frames_free()).number / 1024;
  char text[160];
  format_text(text, sizeof text,
              "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n"
              "Slab:           %8lu kB\n",
              total, free, free, heap_use().used / 1024);
  return String::from(text);
}

Result<String> uptime() {
  std::uint64_t centiseconds = monotonic_ns() / ns_per_tick;
  char text[64];
  format_text(text, sizeof text, "%lu.%02lu 0.00\n", centiseconds / 100, centiseconds % 100);
  return String::from(text);
}

Result<String> loadavg() {
  char text[64];
  format_text(text, sizeof text, "0.00 0.00 0.00 1/%u %d\n", processes.count(),
              current_process().pid);
  return String::from(text);
}

Result<String> filesystems() {
  return String::from("nodev\ttmpfs\nnodev\tproc\n\text2\n");
}

Result<String> version() {
  String line;
  TRY(add(line, "%s version %s %s\n", system_type, system_release, system_version));
  return line;
}

// One CPU. What is not a process's time counts as idle.
Result<String> machine_stat() {
  std::uint64_t busy = 0, runnable = 0;
  for (Process& process : processes.all()) {
    busy += process.own_cpu() + process.cpu.children;
    for (Thread& thread : process.threads) runnable += thread.state == Thread::State::runnable;
  }
  std::uint64_t user = ticks_to_ns(busy) / ns_per_tick, all = monotonic_ns() / ns_per_tick;
  String text;
  for (const char* cpu : {"cpu ", "cpu0"})
    TRY(add(text, "%s %lu 0 0 %lu 0 0 0 0 0 0\n", cpu, user, all > user ? all - user : 0));
  TRY(add(text, "ctxt 0\nbtime %lu\nprocesses %lu\nprocs_running %lu\nprocs_blocked 0\n",
          (realtime_ns() - monotonic_ns()) / ns_per_second, shared_info().counters.forks + 1,
          runnable));
  return text;
}

Result<String> self() {
  String pid;
  TRY(add(pid, "%d", current_process().pid));
  return pid;
}
Result<String> pid_max() {
  String line;
  TRY(add(line, "%d\n", pid_limit));
  return line;
}
Result<String> number_line(std::uint64_t number) {
  String line;
  TRY(add(line, "%lu\n", number));
  return line;
}
Result<String> threads_max() {
  return number_line(max_threads);
}
Result<String> file_max() {
  return number_line(OpenFiles::most);
}
Result<String> file_nr() {
  String line;
  TRY(add(line, "%u\t0\t%u\n", open_files.count(), OpenFiles::most));
  return line;
}
Result<String> nr_open() {
  return number_line(FileTable::most);
}
Result<String> max_map_count() {
  return number_line(most_regions);
}
Result<String> os_type() {
  return line_of(system_type);
}
Result<String> os_release() {
  return line_of(system_release);
}
Result<String> os_version() {
  return line_of(system_version);
}
Result<String> host_name() {
  return line_of(system_node);
}

/// Linux's emergency keys, the one that a virtual machine is likely to be sent: 'c' crashes the
/// kernel, so that what follows a crash can be tried out.
Result<> sysrq(char key) {
  if (key == 'c') panic("crash asked for through /proc/sysrq-trigger");
  return {};
}

struct ProcEntry {
  std::string_view name;
  std::uint32_t directory;  // index of the one it is in
  std::uint32_t mode;
  Result<String> (*text)();             // contents, or a symlink's target
  Result<> (*command)(char) = nullptr;  // what writing does, by its first character
};

constexpr std::uint32_t kernel_directory = 11, fs_directory = 12, vm_directory = 13;
constexpr ProcEntry tree[] = {
    {"", 0, mode_directory | 0555, nullptr},
    {"sys", 0, mode_directory | 0555, nullptr},
    {"mounts", 0, mode_regular | 0444, mounts},
    {"meminfo", 0, mode_regular | 0444, meminfo},
    {"uptime", 0, mode_regular | 0444, uptime},
    {"loadavg", 0, mode_regular | 0444, loadavg},
    {"filesystems", 0, mode_regular | 0444, filesystems},
    {"sysrq-trigger", 0, mode_regular | 0200, nullptr, sysrq},
    {"self", 0, mode_symlink | 0777, self},
    {"stat", 0, mode_regular | 0444, machine_stat},
    {"version", 0, mode_regular | 0444, version},
    {"kernel", 1, mode_directory | 0555, nullptr},
    {"fs", 1, mode_directory | 0555, nullptr},
    {"vm", 1, mode_directory | 0555, nullptr},
    {"ostype", kernel_directory, mode_regular | 0444, os_type},
    {"osrelease", kernel_directory, mode_regular | 0444, os_release},
    {"version", kernel_directory, mode_regular | 0444, os_version},
    {"hostname", kernel_directory, mode_regular | 0444, host_name},
    {"pid_max", kernel_directory, mode_regular | 0444, pid_max},
    {"threads-max", kernel_directory, mode_regular | 0444, threads_max},
    {"file-max", fs_directory, mode_regular | 0444, file_max},
    {"file-nr", fs_directory, mode_regular | 0444, file_nr},
    {"nr_open", fs_directory, mode_regular | 0444, nr_open},
    {"max_map_count", vm_directory, mode_regular | 0444, max_map_count},
};
constexpr std::uint32_t tree_size = sizeof tree / sizeof tree[0];

static_assert(tree[kernel_directory].name == "kernel" && tree[fs_directory].name == "fs" &&
              tree[vm_directory].name == "vm");

class ProcInode final : public ProcNode {
 public:
  ProcInode(std::uint32_t index, Ref<Inode> above)
      : ProcNode(index + 1, tree[index].mode, std::move(above)), index_(index) {}

  Result<std::size_t> write(std::uint64_t at, Source from, std::size_t bytes) override;
  Result<> truncate(std::uint64_t) override { return {}; }  // opened by `>`
  Result<Ref<Inode>> lookup(std::string_view name) override;
  Result<DirectoryEntry> entry(std::uint64_t& position) override;

 protected:
  Result<String> text() override {
    return tree[index_].text ? tree[index_].text() : Result<String>(Errno::io);
  }

 private:
  Result<DirectoryEntry> process_entry(std::uint64_t& position);
  const std::uint32_t index_;
  char name_[12] = {};  // of the process told last
};

Result<std::size_t> ProcInode::write(std::uint64_t, Source from, std::size_t bytes) {
  if (!tree[index_].command || bytes == 0) return Errno::io;
  char key;
  TRY(from.move_to(&key, 1));
  TRY(tree[index_].command(key));
  return bytes;
}

Result<Ref<Inode>> ProcInode::lookup(std::string_view name) {
  if (!is(mode_directory)) return Errno::notdir;
  for (std::uint32_t i = 1; i < tree_size; ++i)
    if (tree[i].directory == index_ && tree[i].name == name)
      return Ref<Inode>(TRY(make_ref<ProcInode>(i, Ref<Inode>(this))));
  if (index_ == 0) return make_process_directory(name, Ref<Inode>(this));
  return Errno::noent;
}

Result<DirectoryEntry> ProcInode::entry(std::uint64_t& position) {
  if (!is(mode_directory)) return Errno::notdir;
  if (position < 2) return dot_entry(position);
  for (std::uint64_t i = position - 1; i < tree_size; ++i) {
    if (tree[i].directory != index_) continue;
    position = i + 2;
    return DirectoryEntry{tree[i].name, i + 1, tree[i].mode};
  }
  return index_ == 0 ? process_entry(position) : Errno::noent;
}

/// Behind the table, processes in the order of their pids, which are their positions.
Result<DirectoryEntry> ProcInode::process_entry(std::uint64_t& position) {
  constexpr std::uint64_t first_position = 0x1000;
  const std::uint64_t wanted = position < first_position ? 1 : position - first_position;
  int next = 0;
  for (Process& process : processes.all())
    if (static_cast<std::uint64_t>(process.pid) >= wanted && (next == 0 || process.pid < next))
      next = process.pid;
  if (next == 0) return Errno::noent;
  position = first_position + static_cast<std::uint64_t>(next) + 1;
  format_text(name_, sizeof name_, "%d", next);
  return DirectoryEntry{name_, proc_number(next), mode_directory};
}

}  // namespace

Result<String> proc_mounts() {
  return mounts();
}

Result<> mount_proc(RamDirectory& root) {
  return root.attach("proc", Ref<Inode>(TRY(make_ref<ProcInode>(0u, Ref<Inode>(&root)))));
}

}  // namespace guest
