// ElfImage: a checked view of one of the tool's embedded ELF images (guest kernel, resident part).
// guest_memory.cpp loads its segments into the window; describe_death.cpp asks it for symbols and
// unwind tables. All offsets are checked against the bytes at hand before they are used: a build
// gone wrong gives an error with a cause, never a crash.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace monitor {

struct ElfSegment {
  std::uint64_t address;
  std::uint64_t memory_bytes;  // file_bytes.size() and then zeros
  std::span<const std::byte> file_bytes;
};

struct ElfSymbol {
  std::string_view name;  // mangled, in the image
  std::uint64_t offset;   // of the address asked for
};

class ElfImage {
 public:
  /// Throws HostError, beginning with `name`, unless this is a static x86-64 ELF executable whose
  /// program headers lie within it. Keeps a view of `bytes`.
  ElfImage(std::span<const std::byte> bytes, std::string name);

  [[nodiscard]] const std::vector<ElfSegment>& segments() const { return segments_; }
  /// Address of .eh_frame_hdr when the image has one.
  [[nodiscard]] std::optional<ElfSegment> unwind_header() const { return unwind_header_; }
  [[nodiscard]] bool contains(std::uint64_t address) const;
  /// Bytes [address, address + bytes) of a section that nobody may write to (code, constants,
  /// unwind tables): the guest kernel is one segment, sections know better.
  [[nodiscard]] std::optional<std::span<const std::byte>> constant(std::uint64_t address,
                                                                   std::uint64_t bytes) const;
  /// The function that holds `address`; nothing in a stripped image.
  [[nodiscard]] std::optional<ElfSymbol> symbol(std::uint64_t address) const;

 private:
  template <class T>
  std::vector<T> table(std::uint64_t offset, std::uint64_t count, std::uint64_t entry_bytes,
                       const char* what) const;
  void read_segments(const Elf64_Ehdr& header);
  void read_sections(const Elf64_Ehdr& header);
  void read_symbols(const Elf64_Shdr& section, const Elf64_Shdr& strings);
  [[nodiscard]] std::string_view symbol_name(const Elf64_Sym& symbol) const;

  std::span<const std::byte> bytes_;
  std::string name_;
  std::vector<ElfSegment> segments_;
  std::vector<ElfSegment> constants_;
  std::optional<ElfSegment> unwind_header_;
  std::vector<Elf64_Sym> symbols_;
  std::span<const std::byte> strings_;
};

}  // namespace monitor
