// AtticHeap: see the header. Called by KernelHeap.
#include "guest/heap/attic_heap.h"

#include "guest/base/panic.h"

namespace guest {

void AtticHeap::init(const Shape& shape) {
  shape_ = shape;
  if (shape_.slabs > most_slabs) shape_.slabs = most_slabs;
  begun_ = last_ = 0;
}

void* AtticHeap::allocate_in(std::uint32_t slab, std::size_t bytes) {
  if (!heaps_[slab].may_hold(bytes)) return nullptr;
  void* block = heaps_[slab].allocate(bytes);
  if (block) last_ = slab;
  return block;
}

void* AtticHeap::allocate(std::size_t bytes) {
  if (last_ < begun_)
    if (void* block = allocate_in(last_, bytes)) return block;
  for (std::uint32_t slab = 0; slab < begun_; ++slab)
    if (void* block = allocate_in(slab, bytes)) return block;
  if (begun_ == shape_.slabs) return nullptr;
  const std::uintptr_t begin = shape_.begin + begun_ * shape_.stride;
  heaps_[begun_].init(begin, begin + shape_.slab_bytes);
  return allocate_in(begun_++, bytes);
}

void AtticHeap::free(void* block) {
  const std::size_t slab = (reinterpret_cast<std::uintptr_t>(block) - shape_.begin) / shape_.stride;
  KERNEL_ASSERT(slab < begun_);
  heaps_[slab].free(block);
}

std::size_t AtticHeap::free_bytes() const {
  std::size_t bytes = (shape_.slabs - begun_) * shape_.slab_bytes;
  for (std::uint32_t slab = 0; slab < begun_; ++slab) bytes += heaps_[slab].free_bytes();
  return bytes;
}

HeapUse AtticHeap::use() const {
  HeapUse all = {.total = shape_.slabs * shape_.slab_bytes, .used = 0, .peak = 0};
  for (std::uint32_t slab = 0; slab < begun_; ++slab) {
    all.used += heaps_[slab].use().used;
    all.peak += heaps_[slab].use().peak;
  }
  return all;
}

}  // namespace guest
