// The kernel heap: the one instance of PageHeap that lies in the window. Not part of host-built
// unit tests, which allocate from the host so that its sanitizers see every object.
#include "guest/heap/heap.h"

#include "guest/heap/page_heap.h"

namespace guest {

namespace {
constinit PageHeap heap;
}

void heap_init(std::uintptr_t begin, std::uintptr_t end) {
  heap.init(begin, end);
}
void* heap_allocate(std::size_t bytes) {
  return heap.allocate(bytes);
}
void heap_free(void* block) {
  heap.free(block);
}
HeapUse heap_use() {
  return heap.use();
}

}  // namespace guest
