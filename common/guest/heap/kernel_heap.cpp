// KernelHeap: see the header. Called through heap_allocate and operator new from everywhere in
// kernel mode.
#include "guest/heap/kernel_heap.h"

namespace guest {

namespace {

// In the order of HeapKind: so many 64ths of the heap stay free.
constexpr std::uint8_t alone[heap_kinds] = {0, 2, 2, 4, 6, 8, 12};
constexpr std::uint8_t below_an_attic[heap_kinds] = {0, 8, 64, 16, 24, 32, 40};

}  // namespace

KernelHeap::Floors KernelHeap::floors_of(std::size_t total,
                                         const std::uint8_t (&per_64)[heap_kinds]) {
  Floors floors = {};
  for (std::size_t kind = 0; kind < heap_kinds; ++kind)
    floors.bytes[kind] = total / 64 * per_64[kind];
  return floors;
}

void KernelHeap::init(std::uintptr_t begin, std::uintptr_t end) {
  window_.init(begin, end);
  window_floors_ = floors_of(window_.free_bytes(), alone);
}

void KernelHeap::init_attic(const AtticHeap::Shape& shape) {
  attic_.init(shape);
  attic_floors_ = floors_of(attic_.free_bytes(), alone);
  window_floors_ = floors_of(window_.free_bytes(), below_an_attic);
  has_attic_ = true;
}

void* KernelHeap::allocate(std::size_t bytes, HeapKind kind) {
  if (kind == HeapKind::kernel) return window_.allocate(bytes);
  const auto index = static_cast<std::size_t>(kind);
  if (window_.free_bytes() >= window_floors_.bytes[index] + bytes)
    if (void* block = window_.allocate(bytes)) return block;
  if (!has_attic_ || attic_.free_bytes() < attic_floors_.bytes[index] + bytes) return nullptr;
  return attic_.allocate(bytes);
}

void KernelHeap::free(void* block) {
  if (!block) return;
  if (window_.holds(block))
    window_.free(block);
  else
    attic_.free(block);
}

HeapUse KernelHeap::use() const {
  const HeapUse window = window_.use(), attic = attic_.use();
  return {.total = window.total + attic.total,
          .used = window.used + attic.used,
          .peak = window.peak + attic.peak};
}

}  // namespace guest
