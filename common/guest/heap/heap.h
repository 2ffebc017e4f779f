// The kernel heap: small objects by size class, large ones by pages, in the window and, what there
// may be many of, in the attic behind it (kernel_heap.h).
// operator new is nothrow here: it returns nullptr, and callers check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace guest {

/// What a block is for, from what the kernel cannot go on without to what it can best refuse. Each
/// kind leaves room to those before it, so that none of them stops another.
enum class HeapKind : std::uint8_t {
  kernel,   // anything not named below; always in the window
  process,  // processes, threads and what each has one of
  parked,   // stacks of threads that share a slot: never in the window if there is an attic
  mapping,  // regions and extents of a space
  file,     // open files, descriptors, pipes, timers, queued signals
  inode,    // inodes, names, and where their pages are
  crowd,    // mappings of a space that has a great many; messages in sockets' queues
};
inline constexpr std::size_t heap_kinds = 7;

/// 16-byte aligned; nullptr when there is no more for this kind. Contents are not cleared.
void* heap_allocate(std::size_t bytes, HeapKind kind = HeapKind::kernel);
void heap_free(void* block);

/// Takes over [begin, end), page-aligned window addresses. Once, at boot.
void heap_init(std::uintptr_t begin, std::uintptr_t end);
/// The same for the attic, as large as the machine says. Once what the kernel needs most is made.
void heap_init_attic();

struct HeapUse {
  std::size_t total, used, peak;
};
HeapUse heap_use();

/// A base for classes whose objects are of a kind.
template <HeapKind kind>
struct Allocated {
  static void* operator new(std::size_t bytes) noexcept { return heap_allocate(bytes, kind); }
  static void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return heap_allocate(bytes, kind);
  }
  static void* operator new(std::size_t, void* where) noexcept { return where; }
  static void operator delete(void* block) noexcept { heap_free(block); }
};

}  // namespace guest
