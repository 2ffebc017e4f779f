// operator new and delete on the kernel heap. Nothrow: compiled with -fcheck-new, so that a failed
// `new` is a null pointer and nothing more. Not part of host-built unit tests.
#include <cstddef>
#include <new>

#include "guest/heap/heap.h"

const std::nothrow_t std::nothrow{};

void* operator new(std::size_t bytes) {
  return guest::heap_allocate(bytes);
}
void* operator new[](std::size_t bytes) {
  return guest::heap_allocate(bytes);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return guest::heap_allocate(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return guest::heap_allocate(bytes);
}
void operator delete(void* block) noexcept {
  guest::heap_free(block);
}
void operator delete[](void* block) noexcept {
  guest::heap_free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  guest::heap_free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  guest::heap_free(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  guest::heap_free(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  guest::heap_free(block);
}
