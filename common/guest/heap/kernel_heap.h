// KernelHeap: where in kernel memory a block goes. There are two storeys. The window is small and
// always at hand in kernel mode; the attic is large, and closed until somebody touches it, which
// costs a host call. So the window is for what is used at each step and bounded in number, and for
// the first ones of all else.
//
// What decides is how much is still free, not who has what: a block of a kind is refused (in the
// window: sent to the attic) once less than that kind's floor would remain. The floors ascend with
// HeapKind: cached inodes stop first, and leave room for files, which leave room for mappings, and
// those for processes. When all of them are at an end, the kernel itself can still work.
#pragma once

#include "guest/heap/attic_heap.h"

namespace guest {

class KernelHeap {
 public:
  void init(std::uintptr_t begin, std::uintptr_t end);
  /// From now on there are both. What the window still has free is what the floors are parts of.
  void init_attic(const AtticHeap::Shape& shape);

  void* allocate(std::size_t bytes, HeapKind kind);
  void free(void* block);
  [[nodiscard]] HeapUse use() const;
  /// Of the window alone.
  [[nodiscard]] std::size_t free_in_window() const { return window_.free_bytes(); }

 private:
  /// What stays free, for each kind, of a heap that is all there is, and of a window with an attic.
  struct Floors {
    std::size_t bytes[heap_kinds];
  };
  static Floors floors_of(std::size_t total, const std::uint8_t (&per_64)[heap_kinds]);

  PageHeap window_;
  AtticHeap attic_;
  Floors window_floors_ = {}, attic_floors_ = {};
  bool has_attic_ = false;
};

}  // namespace guest
