// TextTree: see the header.
#include "guest/fs/proc/text_tree.h"

namespace guest {

/// What `entry` is called in this directory; empty: it is not in it.
std::string_view TextTree::name_here(const TextEntry& entry) const {
  std::string_view name = entry.path, directory = entries_[index_].path;
  if (!directory.empty()) {
    if (!name.starts_with(directory) || name.size() == directory.size()) return {};
    name.remove_prefix(directory.size());
    if (name.front() != '/') return {};
    name.remove_prefix(1);
  }
  return name.find('/') == name.npos ? name : std::string_view();
}

Result<String> TextTree::text() {
  return entries_[index_].text ? entries_[index_].text() : Result<String>(Errno::io);
}

Result<std::size_t> TextTree::write(std::uint64_t, Source from, std::size_t bytes) {
  if (!entries_[index_].command || bytes == 0) return Errno::io;
  char key;
  TRY(from.move_to(&key, 1));
  TRY(entries_[index_].command(key));
  return bytes;
}

Result<Ref<Inode>> TextTree::lookup(std::string_view name) {
  if (!is(mode_directory)) return Errno::notdir;
  for (std::size_t i = 1; i < entries_.size(); ++i)
    if (name_here(entries_[i]) == name)
      return Ref<Inode>(TRY(make_ref<TextTree>(device_, entries_, i, Ref<Inode>(this))));
  return Errno::noent;
}

Result<DirectoryEntry> TextTree::entry(std::uint64_t& position) {
  if (!is(mode_directory)) return Errno::notdir;
  if (position < 2) return dot_entry(position);
  for (std::size_t i = position - 1; i < entries_.size(); ++i) {
    std::string_view name = name_here(entries_[i]);
    if (name.empty()) continue;
    position = i + 2;
    return DirectoryEntry{name, i + 1, entries_[i].mode};
  }
  return Errno::noent;
}

Result<String> line_of(std::string_view text) {
  String line;
  TRY(line.append(text));
  TRY(line.append("\n"));
  return line;
}

Result<String> number_line(std::uint64_t number) {
  String line;
  TRY(add(line, "%lu\n", number));
  return line;
}

}  // namespace guest
