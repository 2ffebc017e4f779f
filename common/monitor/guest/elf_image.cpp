// Reading an embedded ELF image; see elf_image.h.
#include "monitor/guest/elf_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "monitor/tool/error.h"

namespace monitor {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw HostError(fmt::format("{}: {}; rebuild typetwo", name, why));
}

bool within(std::uint64_t offset, std::uint64_t bytes, std::uint64_t total) {
  return offset <= total && bytes <= total - offset;
}

}  // namespace

ElfImage::ElfImage(std::span<const std::byte> bytes, std::string name)
    : bytes_(bytes), name_(std::move(name)) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header) refuse(name_, "too short for an ELF header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) refuse(name_, "not an ELF image");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64) {
    refuse(name_, "not an x86-64 ELF image");
  }
  if (header.e_type != ET_EXEC) refuse(name_, "not linked to a fixed address");
  read_segments(header);
  read_sections(header);
}

template <class T>
std::vector<T> ElfImage::table(std::uint64_t offset, std::uint64_t count, std::uint64_t entry_bytes,
                               const char* what) const {
  if (count == 0) return {};
  if (entry_bytes != sizeof(T) || !within(offset, count * sizeof(T), bytes_.size())) {
    refuse(name_, fmt::format("its {} lies outside of the image", what));
  }
  std::vector<T> entries(count);
  std::memcpy(entries.data(), bytes_.data() + offset, count * sizeof(T));
  return entries;
}

void ElfImage::read_segments(const Elf64_Ehdr& header) {
  for (const Elf64_Phdr& program :
       table<Elf64_Phdr>(header.e_phoff, header.e_phnum, header.e_phentsize, "program headers")) {
    if (program.p_type == PT_INTERP || program.p_type == PT_DYNAMIC) {
      refuse(name_, "linked dynamically");
    }
    if (program.p_type != PT_LOAD && program.p_type != PT_GNU_EH_FRAME) continue;
    if (program.p_filesz > program.p_memsz || program.p_vaddr + program.p_memsz < program.p_vaddr ||
        !within(program.p_offset, program.p_filesz, bytes_.size())) {
      refuse(name_, fmt::format("its segment at {:#x} lies outside of the image", program.p_vaddr));
    }
    ElfSegment segment{program.p_vaddr, program.p_memsz,
                       bytes_.subspan(program.p_offset, program.p_filesz)};
    if (program.p_type == PT_GNU_EH_FRAME) {
      unwind_header_ = segment;
    } else if (program.p_memsz != 0) {
      segments_.push_back(segment);
    }
  }
  if (segments_.empty()) refuse(name_, "nothing in it to load");
}

void ElfImage::read_sections(const Elf64_Ehdr& header) {
  auto sections =
      table<Elf64_Shdr>(header.e_shoff, header.e_shnum, header.e_shentsize, "section headers");
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type == SHT_SYMTAB && section.sh_link < sections.size()) {
      read_symbols(section, sections[section.sh_link]);
    }
    bool constant = (section.sh_flags & (SHF_ALLOC | SHF_WRITE)) == SHF_ALLOC;
    if (!constant || section.sh_type == SHT_NOBITS) continue;
    if (!within(section.sh_offset, section.sh_size, bytes_.size())) {
      refuse(name_, fmt::format("its section at {:#x} lies outside of the image", section.sh_addr));
    }
    constants_.push_back(
        {section.sh_addr, section.sh_size, bytes_.subspan(section.sh_offset, section.sh_size)});
  }
}

void ElfImage::read_symbols(const Elf64_Shdr& section, const Elf64_Shdr& strings) {
  if (!within(strings.sh_offset, strings.sh_size, bytes_.size())) {
    refuse(name_, "its string table lies outside of the image");
  }
  strings_ = bytes_.subspan(strings.sh_offset, strings.sh_size);
  symbols_ = table<Elf64_Sym>(section.sh_offset, section.sh_size / sizeof(Elf64_Sym),
                              section.sh_entsize, "symbol table");
}

bool ElfImage::contains(std::uint64_t address) const {
  return std::any_of(segments_.begin(), segments_.end(), [&](const ElfSegment& s) {
    return address >= s.address && address - s.address < s.memory_bytes;
  });
}

std::optional<std::span<const std::byte>> ElfImage::constant(std::uint64_t address,
                                                             std::uint64_t bytes) const {
  for (const ElfSegment& s : constants_) {
    if (address < s.address) continue;
    if (within(address - s.address, bytes, s.file_bytes.size())) {
      return s.file_bytes.subspan(address - s.address, bytes);
    }
  }
  return std::nullopt;
}

std::string_view ElfImage::symbol_name(const Elf64_Sym& symbol) const {
  if (symbol.st_name >= strings_.size()) return {};
  const auto* begin = reinterpret_cast<const char*>(strings_.data()) + symbol.st_name;
  return {begin, strnlen(begin, strings_.size() - symbol.st_name)};
}

std::optional<ElfSymbol> ElfImage::symbol(std::uint64_t address) const {
  const Elf64_Sym* best = nullptr;
  for (const Elf64_Sym& candidate : symbols_) {
    auto type = ELF64_ST_TYPE(candidate.st_info);
    if (type != STT_FUNC && type != STT_NOTYPE) continue;
    if (candidate.st_shndx == SHN_UNDEF || candidate.st_shndx == SHN_ABS) continue;
    if (candidate.st_value > address) continue;
    // Assembly labels have no size: they hold everything up to the next symbol.
    if (candidate.st_size != 0 && address - candidate.st_value >= candidate.st_size) continue;
    if (!best || candidate.st_value > best->st_value) best = &candidate;
  }
  if (!best || !contains(address)) return std::nullopt;
  return ElfSymbol{symbol_name(*best), address - best->st_value};
}

}  // namespace monitor
