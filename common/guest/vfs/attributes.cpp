// See attributes.h.
#include "guest/vfs/attributes.h"

namespace guest {
namespace {

constinit std::size_t bytes_of_all = 0;

}  // namespace

Attributes::~Attributes() {
  bytes_of_all -= bytes_;
}

/// Where it is, or would be.
std::size_t Attributes::find(std::string_view name) const {
  std::size_t i = 0;
  while (i < entries_.size() && entries_[i].name.view() < name) ++i;
  return i;
}

bool Attributes::is_at(std::size_t index, std::string_view name) const {
  return index < entries_.size() && entries_[index].name.view() == name;
}

Result<String> Attributes::get(std::string_view name) const {
  const std::size_t i = find(name);
  return is_at(i, name) ? String::from(entries_[i].value.view(), HeapKind::file) : Errno::nodata;
}

Result<> Attributes::set(std::string_view name, std::string_view value, Condition condition) {
  const std::size_t i = find(name);
  const bool there = is_at(i, name);
  if (there && condition == must_be_new) return Errno::exist;
  if (!there && condition == must_be_there) return Errno::nodata;
  const std::size_t before = there ? entries_[i].bytes() : 0, after = name.size() + value.size();
  if (bytes_ - before + after > most_bytes || bytes_of_all - before + after > most_of_all)
    return Errno::nospc;
  auto own_value = String::from(value, HeapKind::inode);
  auto own_name = String::from(name, HeapKind::inode);
  if (!own_value.ok() || !own_name.ok()) return Errno::nospc;
  if (there)
    entries_[i].value = own_value.release();
  else
    TRY(entries_.insert(i, Entry{own_name.release(), own_value.release()}));
  bytes_ += after - before;
  bytes_of_all += after - before;
  return {};
}

Result<> Attributes::remove(std::string_view name) {
  const std::size_t i = find(name);
  if (!is_at(i, name)) return Errno::nodata;
  bytes_ -= entries_[i].bytes();
  bytes_of_all -= entries_[i].bytes();
  entries_.erase(i);
  return {};
}

Result<String> Attributes::names() const {
  String list(HeapKind::file);
  for (const Entry& entry : entries_) TRY(list.append({entry.name.c_str(), entry.name.size() + 1}));
  return list;
}

}  // namespace guest
