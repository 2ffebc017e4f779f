// What the C++ compiler expects of a run-time library: operator new and delete on the kernel heap
// (nothrow: compiled with -fcheck-new, so that a failed `new` is a null pointer and nothing more),
// and the answer to impossible calls.
#include <cstddef>
#include <new>

#include "guest/base/panic.h"
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

extern "C" void __cxa_pure_virtual() {
  guest::panic("pure virtual function called");
}

namespace std {
// libstdc++'s headers name it where a container would throw; ours never get there.
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) {
  guest::panic("index out of range");
}
[[noreturn]] void __throw_length_error(const char*) {
  guest::panic("length out of range");
}
[[noreturn]] void __throw_logic_error(const char*) {
  guest::panic("logic error");
}
[[noreturn]] void __throw_bad_array_new_length() {
  guest::panic("array too long");
}
}  // namespace std
