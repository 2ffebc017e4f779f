// ProcNode: see node.h.
#include "guest/fs/proc/node.h"

#include "guest/base/clock.h"
#include "guest/base/log.h"

namespace guest {

Stat ProcNode::stat() {
  Stat s{};
  s.device = device_;
  s.inode = number_;
  s.mode = mode();
  s.links = is(mode_directory) ? 2 : 1;
  s.block_size = 1024;
  s.atime_ns = s.mtime_ns = s.ctime_ns = realtime_ns();
  return s;
}

Result<std::size_t> ProcNode::read(std::uint64_t at, UserAddress to, std::size_t bytes) {
  if (is(mode_directory)) return Errno::isdir;
  String contents = TRY(text());
  if (at >= contents.size()) return std::size_t{0};
  if (bytes > contents.size() - at) bytes = contents.size() - at;
  return move_to_user(to, contents.c_str() + at, bytes);
}

DirectoryEntry ProcNode::dot_entry(std::uint64_t& position) {
  if (position++ == 0) return {".", number_, mode_directory};
  return {"..", above_->stat().inode, mode_directory};
}

Result<> add(String& text, const char* format, ...) {
  char line[256];
  std::va_list arguments;
  va_start(arguments, format);
  unsigned long length = format_text_list(line, sizeof line, format, arguments);
  va_end(arguments);
  return text.append({line, length});
}

}  // namespace guest
