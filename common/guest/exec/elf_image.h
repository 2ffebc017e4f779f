// ElfImage: what an x86-64 ELF file, a program or the interpreter it names (the dynamic linker),
// asks to be mapped, read and checked. Nothing is mapped here, so that every way a header can be
// damaged is found before a new address space exists.
#pragma once

#include <cstdint>

#include "guest/base/result.h"
#include "guest/heap/string.h"
#include "guest/heap/vec.h"
#include "guest/mm/address_space.h"
#include "guest/vfs/inode.h"

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
  std::uint64_t bias = 0;    // how far it was moved from the addresses it was linked at
  std::uint64_t entry = 0;
  std::uint64_t headers_va = 0;  // of the program headers in memory; 0 if no segment holds them
  std::uint16_t header_count = 0;
  bool executable_stack = false;
  String interpreter;  // path of the dynamic linker; empty: the program runs by itself

  [[nodiscard]] std::uint64_t end() const { return segments[segments.size() - 1].end(); }
};

/// Position-independent programs go to pie_base, interpreters to the top of the mmap area. An
/// interpreter's own interpreter is nobody's business.
enum class ElfRole { program, interpreter };

/// ENOEXEC: not an x86-64 program, or its headers contradict themselves or the file. `top`: the end
/// of the mmap area.
Result<ElfImage> read_elf(Inode& file, ElfRole role = ElfRole::program,
                          std::uint64_t top = mmap_top);

}  // namespace guest
