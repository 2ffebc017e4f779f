// The kernel heap: the one instance of KernelHeap that lies in the window. Not part of host-built
// unit tests, which allocate from the host so that its sanitizers see every object.
#include "guest/heap/heap.h"

#include "guest/heap/kernel_heap.h"
#include "guest/platform.h"

namespace guest {

namespace {
constinit KernelHeap heap;
}

void heap_init(std::uintptr_t begin, std::uintptr_t end) {
  heap.init(begin, end);
}
void heap_init_attic() {
  if (const std::uint32_t slabs = boot_info().attic_slabs)
    heap.init_attic({vmi::attic_base, vmi::attic_slab_bytes, vmi::attic_slab_stride, slabs});
}
void* heap_allocate(std::size_t bytes, HeapKind kind) {
  return heap.allocate(bytes, kind);
}
void heap_free(void* block) {
  heap.free(block);
}
HeapUse heap_use() {
  return heap.use();
}

}  // namespace guest
