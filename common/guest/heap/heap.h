// The kernel heap: small objects by size class, large ones by pages, all inside the window.
// operator new is nothrow here: it returns nullptr, and callers check.
#pragma once

#include <cstddef>
#include <cstdint>

namespace guest {

/// 16-byte aligned; nullptr when the window is full. Contents are not cleared.
void* heap_allocate(std::size_t bytes);
void heap_free(void* block);

/// Takes over [begin, end), page-aligned window addresses. Once, at boot.
void heap_init(std::uintptr_t begin, std::uintptr_t end);

struct HeapUse {
  std::size_t total, used, peak;
};
HeapUse heap_use();

}  // namespace guest
