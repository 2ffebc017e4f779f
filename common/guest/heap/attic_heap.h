// AtticHeap: the heap of the attic. The attic comes in slabs, with gaps between them, and touching
// a slab costs (vmi/address_map.h); so each has a PageHeap of its own, whose bookkeeping lies in
// it, and allocations stay in one slab for as long as it has room.
#pragma once

#include "guest/heap/page_heap.h"

namespace guest {

class AtticHeap {
 public:
  struct Shape {
    std::uintptr_t begin;
    std::size_t slab_bytes, stride;  // whole pages; from one slab's beginning to the next one's
    std::uint32_t slabs;             // as many as there is use for: the rest is left alone
  };
  void init(const Shape& shape);

  /// At most about a slab.
  void* allocate(std::size_t bytes);
  void free(void* block);
  [[nodiscard]] std::size_t free_bytes() const;
  [[nodiscard]] HeapUse use() const;

  static constexpr std::uint32_t most_slabs = 64;

 private:
  void* allocate_in(std::uint32_t slab, std::size_t bytes);

  Shape shape_ = {};
  std::uint32_t begun_ = 0;  // slabs that have a heap: the first ones
  std::uint32_t last_ = 0;   // that had room
  PageHeap heaps_[most_slabs];
};

}  // namespace guest
