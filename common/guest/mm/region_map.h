// RegionMap: the regions of an address space (Linux calls them VMAs): address ranges with one
// protection and one source of pages. Bookkeeping only; AddressSpace gives it meaning.
#pragma once

#include <cstdint>

#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/heap/heap.h"
#include "guest/mm/page_source.h"
#include "guest/mm/skip_list.h"
#include "vmi/hypercalls.h"

namespace guest {

struct RegionSource {
  std::uint32_t protection = 0;
  bool shared = false;
  bool grows_down = false;
  bool may_write = true;         // may mprotect grant writing?
  Ref<PageSource> backing = {};  // none: anonymous memory
  std::uint64_t offset = 0;

  /// What RLIMIT_DATA counts.
  [[nodiscard]] bool data() const { return !shared && !grows_down && protection & vmi::prot_write; }
};

/// Linux's vm.max_map_count: regions of one space.
inline constexpr std::size_t most_regions = 65530;

/// Of a region that is not cut.
inline constexpr std::uint64_t whole_file = ~0ull;

struct Region : Allocated<HeapKind::mapping> {
  Region() = default;
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  ~Region() {
    if (link_of_file) *link_of_file = next_of_file;
    if (next_of_file) next_of_file->link_of_file = link_of_file;
  }

  std::uint64_t va = 0, end = 0;
  RegionSource source = {};
  class RegionMap* map = nullptr;
  // For FileMappings: whatever lies in the file behind `cut_from` must be unmapped, and copies of
  // its text if that has changed.
  Region *next_of_file = nullptr, **link_of_file = nullptr;
  std::uint64_t cut_from = whole_file;
  bool text_changed = false;
  Region* links[skip_list_height] = {};
  int node_height = 1;

  [[nodiscard]] bool anonymous() const { return !source.backing; }
  [[nodiscard]] std::uint64_t bytes() const { return end - va; }
  [[nodiscard]] std::uint64_t file_offset(std::uint64_t address) const {
    return source.offset + (address - va);
  }
  [[nodiscard]] Region* following() const { return links[0]; }

  // For SkipList.
  [[nodiscard]] int height() const { return node_height; }
  [[nodiscard]] Region* next(int level) const { return links[level]; }
  void set_next(int level, Region* region) { links[level] = region; }
};

class RegionMap {
 public:
  RegionMap() = default;
  RegionMap(const RegionMap&) = delete;
  RegionMap& operator=(const RegionMap&) = delete;
  ~RegionMap();

  [[nodiscard]] Region* first() const { return list_.first(); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] Region* find(std::uint64_t va) const;
  [[nodiscard]] Region* at_or_before(std::uint64_t va) const { return list_.at_or_before(va); }
  [[nodiscard]] Region* first_ending_after(std::uint64_t va) const;
  [[nodiscard]] bool free(std::uint64_t begin, std::uint64_t end) const;

  /// Adds a region where none is; joins neighbours that it continues. ENOMEM.
  Result<> add(std::uint64_t begin, std::uint64_t end, RegionSource source);
  /// The two halves of that, for who must know that there is memory before he makes room. A region
  /// that was made is inserted.
  Result<Region*> make(std::uint64_t begin, std::uint64_t end, RegionSource source);
  void insert(Region& region);
  /// Makes `va` a boundary between regions. ENOMEM.
  Result<> split_at(std::uint64_t va);
  void remove(Region& region);
  /// Gives a region another place, where nothing is.
  void move(Region& region, std::uint64_t begin, std::uint64_t end);
  void join_around(std::uint64_t begin, std::uint64_t end);

  bool any_behind = false;  // some region is behind its file, since the space was current

 private:
  SkipList<Region> list_;
};

}  // namespace guest
