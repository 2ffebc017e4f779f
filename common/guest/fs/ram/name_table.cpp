// NameTable: see the header. Called by RamDirectory only.
#include "guest/fs/ram/name_table.h"

#include <cstddef>
#include <cstring>
#include <new>

namespace guest {
namespace {

constexpr std::size_t small_directory = 8;

std::uint32_t hash_of(std::string_view name) {
  std::uint32_t hash = 2166136261u;  // FNV-1a
  for (char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619u;
  return hash;
}

NameEntry* new_entry(std::string_view name, Ref<Inode> inode) {
  std::size_t bytes = offsetof(NameEntry, bytes) + name.size();
  void* memory =
      heap_allocate(bytes < sizeof(NameEntry) ? sizeof(NameEntry) : bytes, HeapKind::inode);
  if (!memory) return nullptr;
  auto* entry = new (memory) NameEntry;
  entry->inode = std::move(inode);
  entry->length = static_cast<std::uint8_t>(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) entry->bytes[i] = name[i];
  return entry;
}

void delete_entry(NameEntry* entry) {
  entry->~NameEntry();
  heap_free(entry);
}

}  // namespace

NameTable::~NameTable() {
  for (NameEntry* entry : order_) delete_entry(entry);
}

NameEntry* NameTable::find(std::string_view name) const {
  if (buckets_.empty()) {
    for (NameEntry* entry : order_)
      if (entry->name() == name) return entry;
    return nullptr;
  }
  std::uint32_t hash = hash_of(name);
  NameEntry* entry = buckets_[hash & (buckets_.size() - 1)];
  while (entry && (entry->hash != hash || entry->name() != name)) entry = entry->next;
  return entry;
}

Result<> NameTable::insert(std::string_view name, Ref<Inode> inode) {
  NameEntry* entry = new_entry(name, std::move(inode));
  if (!entry) return Errno::nomem;
  entry->hash = hash_of(name);
  entry->cookie = next_cookie_;
  auto pushed = order_.push(entry);
  if (!pushed.ok()) {
    delete_entry(entry);
    return pushed;
  }
  ++next_cookie_;
  if (order_.size() > small_directory && order_.size() > 2 * buckets_.size()) grow_buckets();
  if (!buckets_.empty() && !find(name)) add_to_bucket(entry);
  return {};
}

void NameTable::erase(NameEntry* entry) {
  if (!buckets_.empty()) {
    NameEntry** link = &buckets_[entry->hash & (buckets_.size() - 1)];
    while (*link != entry) link = &(*link)->next;
    *link = entry->next;
  }
  order_.erase(index(entry->cookie));
  delete_entry(entry);
}

NameEntry* NameTable::from(std::uint64_t cookie) const {
  std::size_t i = index(cookie);
  return i < order_.size() ? order_[i] : nullptr;
}

std::size_t NameTable::index(std::uint64_t cookie) const {
  std::size_t low = 0, high = order_.size();
  while (low < high) {
    std::size_t middle = (low + high) / 2;
    if (order_[middle]->cookie < cookie)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void NameTable::add_to_bucket(NameEntry* entry) {
  NameEntry*& bucket = buckets_[entry->hash & (buckets_.size() - 1)];
  entry->next = bucket;
  bucket = entry;
}

// Without memory for more buckets the chains only get longer: not a failure.
void NameTable::grow_buckets() {
  std::size_t count = buckets_.empty() ? 2 * small_directory : 2 * buckets_.size();
  Vec<NameEntry*> grown(HeapKind::inode);
  if (!grown.reserve(count).ok()) return;
  while (grown.size() < count) static_cast<void>(grown.push(nullptr).ok());
  buckets_ = std::move(grown);
  for (NameEntry* entry : order_) add_to_bucket(entry);
}

}  // namespace guest
