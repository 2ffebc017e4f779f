// /proc/PID/mounts, and mountinfo, which df reads: its lines in other words, with the device
// numbers that stat gives of what is mounted there. They are the same for all processes.
#include "guest/vfs/mounts.h"
#include "guest/fs/proc/process.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

const char* type_of(std::string_view name) {
  return name == "proc" ? "proc" : name == "sys" ? "sysfs" : "tmpfs";
}

// Below a disk's root lie parts of the boot tree; without a disk
// all of that is the root, but for /proc and /sys.
Result<String> mounts() {
  const RootMount& root = root_mount();
  String text;
  TRY(add(text, "%s / %s %s,relatime 0 0\n", root.source, root.type,
          root.root->check_writable().ok() ? "rw" : "ro"));
  if (mount_count() == 0)
    TRY(text.append("proc /proc proc rw,relatime 0 0\nsysfs /sys sysfs rw,relatime 0 0\n"));
  for (std::size_t i = 0; i < mount_count(); ++i) {
    std::string_view name = mount_name(i);
    TRY(add(text, "%s /%.*s %s rw,relatime 0 0\n", type_of(name), static_cast<int>(name.size()),
            name.data(), type_of(name)));
  }
  return text;
}

/// Takes what comes before `end`, and that, away from the front.
std::string_view take_until(std::string_view& text, char end) {
  std::size_t length = text.find(end);
  std::string_view taken = text.substr(0, length);
  text.remove_prefix(length == text.npos ? text.size() : length + 1);
  return taken;
}

Result<> add_mount_line(String& text, int id, std::string_view line) {
  std::string_view source = take_until(line, ' '), directory = take_until(line, ' '),
                   type = take_until(line, ' '), options = take_until(line, ' ');
  auto root = current_process().fs->resolve(directory);
  std::uint64_t device = root.ok() ? root.value()->stat().device : 0;
  TRY(add(text, "%d %d %u:%u / ", id, id == 1 ? 0 : 1, device_major(device), device_minor(device)));
  for (std::string_view word : {directory, options, std::string_view("-"), type, source}) {
    TRY(text.append(word));
    TRY(text.append(" "));
  }
  TRY(text.append(options));
  return text.append("\n");
}

}  // namespace

Result<String> process_mounts(Thread&) {
  return mounts();
}

Result<String> process_mountinfo(Thread&) {
  String text, lines = TRY(mounts());
  std::string_view left = lines.view();
  for (int id = 1; !left.empty(); ++id) TRY(add_mount_line(text, id, take_until(left, '\n')));
  return text;
}

}  // namespace guest
