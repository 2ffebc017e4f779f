// ElfImage: what a static x86-64 ELF file asks to be mapped, read and checked. Nothing is mapped
// here, so that every way a header can be damaged is found before a new address space exists.
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/base/vec.h"
#include "guest/fs/inode.h"

namespace guest {

struct ElfSegment {
  std::uint64_t va;  // of the first byte; the mapping begins at the page that holds it
  std::uint64_t file_offset;
  std::uint64_t file_bytes;
  std::uint64_t memory_bytes;
  std::uint32_t protection;

  [[nodiscard]] std::uint64_t file_end() const { return va + file_bytes; }
  [[nodiscard]] std::uint64_t end() const { return va + memory_bytes; }
};

struct ElfImage {
  Vec<ElfSegment> segments;  // ascending, no two on one page
  std::uint64_t entry = 0;
  std::uint64_t headers_va = 0;  // of the program headers in memory; 0 if no segment holds them
  std::uint16_t header_count = 0;

  [[nodiscard]] std::uint64_t end() const { return segments[segments.size() - 1].end(); }
};

/// ENOEXEC: not a static x86-64 program, or its headers contradict themselves or the file.
Result<ElfImage> read_elf(Inode& file);

}  // namespace guest
