// /proc: see the header. The table below is the whole tree: a node names its directory.
#include "guest/fs/proc_files.h"

#include "guest/base/log.h"
#include "guest/base/panic.h"
#include "guest/drivers/clock.h"
#include "guest/fs/disk.h"
#include "guest/fs/fs_context.h"
#include "guest/fs/proc_descriptors.h"
#include "guest/mm/heap.h"
#include "guest/proc/process.h"

namespace guest {
namespace {

// Nothing here updates access times.
Result<String> mounts() {
  const char* access = disk_access();
  if (!access) return String::from("root / tmpfs rw,noatime 0 0\nproc /proc proc rw,noatime 0 0\n");
  char text[256];
  format_text(text, sizeof text,
              "/dev/root / ext2 %s,noatime 0 0\ntmpfs /dev tmpfs rw,noatime 0 0\n"
              "proc /proc proc rw,noatime 0 0\ntmpfs /tmp tmpfs rw,noatime 0 0\n",
              access);
  return String::from(text);
}

/// Slab is the kernel's heap, which lies outside of MemTotal.
Result<String> meminfo() {
  constexpr std::uint64_t kib = vmi::page_size / 1024;
  char text[160];
  format_text(text, sizeof text,
              "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n"
              "Slab:           %8lu kB\n",
              frames_total() * kib, frames_free() * kib, frames_free() * kib,
              heap_use().used / 1024);
  return String::from(text);
}

Result<String> uptime() {
  std::uint64_t centiseconds = monotonic_ns() / 10'000'000;
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

Result<String> program() {
  std::string_view path = current_process().fs->program();
  if (path.empty()) return Errno::noent;
  return String::from(path);
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

constexpr ProcEntry tree[] = {
    {"", 0, mode_directory | 0555, nullptr},
    {"self", 0, mode_directory | 0555, nullptr},
    {"mounts", 0, mode_regular | 0444, mounts},
    {"meminfo", 0, mode_regular | 0444, meminfo},
    {"uptime", 0, mode_regular | 0444, uptime},
    {"loadavg", 0, mode_regular | 0444, loadavg},
    {"filesystems", 0, mode_regular | 0444, filesystems},
    {"sysrq-trigger", 0, mode_regular | 0200, nullptr, sysrq},
    {"fd", 1, mode_directory | 0500, nullptr},
    {"exe", 1, mode_symlink | 0777, program},
    {"mounts", 1, mode_regular | 0444, mounts},
};
constexpr std::uint32_t tree_size = sizeof tree / sizeof tree[0];

class ProcInode final : public Inode {
 public:
  ProcInode(std::uint32_t index, Ref<Inode> above) : index_(index), above_(std::move(above)) {}

  [[nodiscard]] std::uint32_t mode() const override { return tree[index_].mode; }
  Stat stat() override;
  Result<std::size_t> read(std::uint64_t at, UserAddress to, std::size_t bytes) override;
  Result<std::size_t> write(std::uint64_t at, Source from, std::size_t bytes) override;
  Result<> truncate(std::uint64_t) override { return {}; }  // opened by `>`
  Result<String> target() override;
  Result<Ref<Inode>> lookup(std::string_view name) override;
  Result<DirectoryEntry> entry(std::uint64_t& position) override;
  Result<Ref<Inode>> parent() override { return above_; }
  // Linux refuses these in /proc, each with its own error.
  Result<Ref<Inode>> create(std::string_view, std::uint32_t, std::uint64_t) override {
    return refusal(Errno::noent);
  }
  Result<Ref<Inode>> symlink(std::string_view, std::string_view) override {
    return refusal(Errno::perm);
  }
  Result<> link(std::string_view, Inode&) override { return refusal(Errno::xdev); }
  Result<> unlink(std::string_view) override { return refusal(Errno::perm); }
  Result<> rmdir(std::string_view) override { return refusal(Errno::perm); }
  Result<> rename(std::string_view, Inode&, std::string_view) override {
    return refusal(Errno::perm);
  }

 private:
  [[nodiscard]] Errno refusal(Errno error) const {
    return is(mode_directory) ? error : Errno::notdir;
  }
  std::uint32_t index_;
  Ref<Inode> above_;  // the directory it was found in
};

Stat ProcInode::stat() {
  Stat s{};
  s.device = 3;
  s.inode = index_ + 1;
  s.mode = mode();
  s.links = is(mode_directory) ? 2 : 1;
  s.block_size = 1024;
  s.atime_ns = s.mtime_ns = s.ctime_ns = realtime_ns();
  return s;
}

Result<std::size_t> ProcInode::read(std::uint64_t at, UserAddress to, std::size_t bytes) {
  if (is(mode_directory)) return Errno::isdir;
  if (!tree[index_].text) return Errno::io;
  String text = TRY(tree[index_].text());
  if (at >= text.size()) return std::size_t{0};
  if (bytes > text.size() - at) bytes = text.size() - at;
  TRY(copy_to_user(to, text.c_str() + at, bytes));
  return bytes;
}

Result<std::size_t> ProcInode::write(std::uint64_t, Source from, std::size_t bytes) {
  if (!tree[index_].command || bytes == 0) return Errno::io;
  char key;
  TRY(from.copy_to(&key, 1));
  TRY(tree[index_].command(key));
  return bytes;
}

Result<String> ProcInode::target() {
  if (!is(mode_symlink)) return Errno::inval;
  return tree[index_].text();
}

Result<Ref<Inode>> ProcInode::lookup(std::string_view name) {
  if (!is(mode_directory)) return Errno::notdir;
  for (std::uint32_t i = 1; i < tree_size; ++i)
    if (tree[i].directory == index_ && tree[i].name == name) {
      if (name == "fd") return make_descriptor_directory(Ref<Inode>(this));
      return Ref<Inode>(TRY(make_ref<ProcInode>(i, Ref<Inode>(this))));
    }
  return Errno::noent;
}

Result<DirectoryEntry> ProcInode::entry(std::uint64_t& position) {
  if (!is(mode_directory)) return Errno::notdir;
  if (position < 2) {
    bool dot = position++ == 0;
    return DirectoryEntry{dot ? "." : "..", dot ? stat().inode : above_->stat().inode,
                          mode_directory};
  }
  for (std::uint64_t i = position - 1; i < tree_size; ++i) {
    if (tree[i].directory != index_) continue;
    position = i + 2;
    return DirectoryEntry{tree[i].name, i + 1, tree[i].mode};
  }
  return Errno::noent;
}

}  // namespace

Result<> mount_proc(RamDirectory& root) {
  return root.attach("proc", Ref<Inode>(TRY(make_ref<ProcInode>(0u, Ref<Inode>(&root)))));
}

}  // namespace guest
