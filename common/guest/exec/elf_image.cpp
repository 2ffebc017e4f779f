// read_elf: see the header. Called by load_program before it gives up the old address space. The
// file is a guest program's: nothing in it is believed.
#include "guest/exec/elf_image.h"

#include <algorithm>

#include "guest/mm/address_space.h"

namespace guest {

namespace {

struct ElfHeader {
  std::uint8_t identity[16];
  std::uint16_t type, machine;
  std::uint32_t version;
  std::uint64_t entry, program_headers, section_headers;
  std::uint32_t flags;
  std::uint16_t header_bytes, program_header_bytes, program_header_count;
  std::uint16_t section_header_bytes, section_header_count, section_names;
};
struct ProgramHeader {
  std::uint32_t type, flags;
  std::uint64_t offset, va, physical, file_bytes, memory_bytes, alignment;
};
static_assert(sizeof(ElfHeader) == 64 && sizeof(ProgramHeader) == 56);

constexpr std::uint8_t expected_identity[] = {
    0x7f, 'E', 'L', 'F', 2 /*64 bit*/, 1 /*little endian*/, 1 /*version*/};
constexpr std::uint16_t type_executable = 2, type_dynamic = 3, machine_x86_64 = 62;
constexpr std::uint32_t segment_load = 1, segment_interpreter = 3, segment_stack = 0x6474e551;
constexpr std::uint32_t flag_executable = 1;
constexpr std::uint16_t most_headers = 128;
constexpr std::size_t longest_path = 4096;

bool acceptable(const ElfHeader& header) {
  return std::equal(std::begin(expected_identity), std::end(expected_identity), header.identity) &&
         (header.type == type_executable || header.type == type_dynamic) &&
         header.machine == machine_x86_64 && header.version == 1 &&
         header.program_header_bytes == sizeof(ProgramHeader) && header.program_header_count > 0 &&
         header.program_header_count <= most_headers;
}

Result<> read_exactly(Inode& file, std::uint64_t offset, void* to, std::size_t bytes) {
  return TRY(file.peek(offset, to, bytes)) == bytes ? Result<>() : Errno::noexec;
}

/// A PT_LOAD header as a segment at `bias`.
Result<ElfSegment> make_segment(const ProgramHeader& header, std::uint64_t bias,
                                std::uint64_t file_size) {
  if (header.file_bytes > header.memory_bytes) return Errno::noexec;
  if (header.offset % vmi::page_size != header.va % vmi::page_size) return Errno::noexec;
  if (header.offset > file_size || header.file_bytes > file_size - header.offset) {
    return Errno::noexec;
  }
  // With the bias added: no wrap-around passes these two.
  if (header.va > mmap_top || header.memory_bytes > mmap_top) return Errno::noexec;
  std::uint64_t va = header.va + bias;
  if (page_down(va) < vmi::user_begin || va > mmap_top || header.memory_bytes > mmap_top - va) {
    return Errno::noexec;
  }
  std::uint32_t protection = 0;
  if (header.flags & 4) protection |= vmi::prot_read;
  if (header.flags & 2) protection |= vmi::prot_write;
  if (header.flags & 1) protection |= vmi::prot_exec;
  return ElfSegment{va, header.offset, header.file_bytes, header.memory_bytes, protection};
}

Result<> add_segment(ElfImage& image, const ElfHeader& header, const ElfSegment& segment) {
  if (segment.memory_bytes == 0) return {};
  if (!image.segments.empty() && page_down(segment.va) < page_up(image.end())) {
    return Errno::noexec;
  }
  std::uint64_t table_bytes = header.program_header_count * sizeof(ProgramHeader);
  if (header.program_headers >= segment.file_offset &&
      header.program_headers + table_bytes <= segment.file_offset + segment.file_bytes) {
    image.headers_va = segment.va + (header.program_headers - segment.file_offset);
  }
  return image.segments.push(segment);
}

/// The path in a PT_INTERP header: NUL-terminated, and nothing behind the NUL.
Result<String> read_interpreter(Inode& file, const ProgramHeader& header) {
  if (header.file_bytes < 2 || header.file_bytes > longest_path) return Errno::noexec;
  Vec<char> path;
  TRY(path.reserve(header.file_bytes));
  for (std::uint64_t i = 0; i < header.file_bytes; ++i) TRY(path.push('\0'));
  TRY(read_exactly(file, header.offset, path.begin(), header.file_bytes));
  if (path[0] == '\0' || path[header.file_bytes - 1] != '\0') return Errno::noexec;
  return String::from(path.begin());
}

/// Where a position-independent file goes. An interpreter ends where the mmap area does, so that
/// what is mapped later lies below it.
Result<std::uint64_t> choose_bias(const Vec<ProgramHeader>& headers, ElfRole role,
                                  std::uint64_t top) {
  if (role == ElfRole::program) return pie_base;
  std::uint64_t end = 0;
  for (const ProgramHeader& header : headers) {
    if (header.type != segment_load) continue;
    if (header.va > top || header.memory_bytes > top - header.va) return Errno::noexec;
    end = std::max(end, header.va + header.memory_bytes);
  }
  return page_down(top - end);
}

Result<Vec<ProgramHeader>> read_headers(Inode& file, const ElfHeader& header) {
  Vec<ProgramHeader> headers;
  TRY(headers.reserve(header.program_header_count));
  for (std::uint16_t i = 0; i < header.program_header_count; ++i) {
    TRY(headers.push(ProgramHeader{}));
    TRY(read_exactly(file, header.program_headers + i * sizeof(ProgramHeader), &headers[i],
                     sizeof(ProgramHeader)));
  }
  return headers;
}

}  // namespace

Result<ElfImage> read_elf(Inode& file, ElfRole role, std::uint64_t top) {
  ElfHeader header;
  TRY(read_exactly(file, 0, &header, sizeof header));
  std::uint64_t file_size = file.stat().size;
  if (!acceptable(header) || header.program_headers > file_size) return Errno::noexec;
  Vec<ProgramHeader> headers = TRY(read_headers(file, header));

  ElfImage image;
  image.header_count = header.program_header_count;
  if (header.type == type_dynamic) image.bias = TRY(choose_bias(headers, role, top));
  for (const ProgramHeader& program_header : headers) {
    if (program_header.type == segment_interpreter && role == ElfRole::program) {
      if (image.interpreter.size()) return Errno::noexec;
      image.interpreter = TRY(read_interpreter(file, program_header));
    }
    if (program_header.type == segment_stack)
      image.executable_stack = program_header.flags & flag_executable;
    if (program_header.type != segment_load) continue;
    TRY(add_segment(image, header, TRY(make_segment(program_header, image.bias, file_size))));
  }
  image.entry = header.entry + image.bias;
  if (image.segments.empty() || !vmi::is_user_range(image.entry, 1)) return Errno::noexec;
  return image;
}

}  // namespace guest
