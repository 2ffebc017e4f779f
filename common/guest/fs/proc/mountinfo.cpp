// /proc/PID/mountinfo, which df reads: the lines of /proc/mounts in other words, with the device
// numbers that stat gives of what is mounted there.
#include "guest/fs/proc/process.h"
#include "guest/fs/proc/tree.h"
#include "guest/vfs/device_number.h"
#include "guest/vfs/fs_context.h"

namespace guest {
namespace {

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

Result<String> process_mountinfo(Thread&) {
  String text, mounts = TRY(proc_mounts());
  std::string_view left = mounts.view();
  for (int id = 1; !left.empty(); ++id) TRY(add_mount_line(text, id, take_until(left, '\n')));
  return text;
}

}  // namespace guest
