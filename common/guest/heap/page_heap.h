// PageHeap: the algorithm of the kernel heap, without the one instance that is the kernel's (see
// heap.cpp), so that unit tests can have their own. Small objects come from pages cut into one
// size, large ones are runs of pages; free runs are merged with their neighbours at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/heap/heap.h"

namespace guest {

class PageHeap {
 public:
  static constexpr std::size_t class_count = 14;
  static constexpr std::uint16_t class_bytes[class_count] = {16,  32,  48,  64,  96,   128,  192,
                                                             256, 384, 512, 768, 1024, 1360, 2048};
  static constexpr std::size_t largest_small = class_bytes[class_count - 1];

  /// Page-aligned bounds, at most 256 MiB apart. The page table is cut from the beginning.
  void init(std::uintptr_t begin, std::uintptr_t end);
  void* allocate(std::size_t bytes);
  void free(void* block);
  [[nodiscard]] HeapUse use() const { return use_; }
  /// In whole pages: what any object may have, or a run if it is not in pieces.
  [[nodiscard]] std::size_t free_bytes() const { return free_pages_ * page_bytes; }
  /// False: it certainly has no room. Looks at nothing that lies in the heap.
  [[nodiscard]] bool may_hold(std::size_t bytes) const;
  [[nodiscard]] bool holds(const void* block) const {
    auto where = reinterpret_cast<std::uintptr_t>(block);
    return where >= base_ && where < base_ + page_count_ * page_bytes;
  }

 private:
  using Index = std::uint16_t;
  static constexpr Index none = 0xffff;
  enum class Kind : std::uint8_t { free, small, large, interior };

  struct Page {
    Kind kind;
    std::uint8_t size_class;
    Index count;  // free, large: pages in the run (free: in its last page too); small: live objects
    Index previous;  // free runs and pages with room are doubly linked
    Index next;
    Index free_object;  // small: first of the freed objects, or none
    Index carved;       // small: objects ever handed out; those beyond were never touched
  };

  [[nodiscard]] std::uintptr_t address(Index page) const { return base_ + page * page_bytes; }
  void link(Index page, Index& head);
  void unlink(Index page, Index& head);

  Index take_run(std::size_t pages);
  void give_run(Index first, Index pages);
  void* allocate_small(std::uint8_t size_class);
  void free_small(Index page, std::uintptr_t block);
  void account(std::size_t bytes);

  static constexpr std::size_t page_bytes = 4096;
  std::uintptr_t base_ = 0;  // of page 0
  Page* pages_ = nullptr;
  Index page_count_ = 0;
  std::size_t free_pages_ = 0;
  Index free_runs_ = none;
  Index with_room_[class_count] = {};
  HeapUse use_ = {};
};

}  // namespace guest
