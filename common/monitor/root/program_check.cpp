// Reads ELF headers with suspicion: every number in them may be absurd. The guest kernel makes the
// same checks again when it loads the file; here they come with words.
#include "monitor/root/program_check.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <vector>

#include "monitor/root/tree.h"
#include "monitor/tool/error.h"
#include "vmi/address_map.h"

namespace monitor {
namespace {

constexpr unsigned max_program_headers = 65536 / sizeof(Elf64_Phdr);  // as Linux has it
constexpr int max_interpreters = 4;                                   // "#!" of a "#!", as Linux

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_386:
      return "32-bit x86";
    case EM_ARM:
      return "32-bit ARM";
    case EM_AARCH64:
      return "64-bit ARM";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "64-bit POWER";
    case EM_S390:
      return "S/390";
    default:
      return fmt::format("machine number {}", machine);
  }
}

std::string why_not_ident(std::span<const std::byte> head) {
  if (head.empty()) return "is empty: name an x86-64 ELF executable";
  if (head.size() < SELFMAG || std::memcmp(head.data(), ELFMAG, SELFMAG) != 0) {
    return "is not an ELF executable: name an x86-64 one, such as /bin/busybox";
  }
  if (head.size() < sizeof(Elf64_Ehdr)) {
    return fmt::format("is truncated: {} bytes do not hold an ELF header; copy the file again",
                       head.size());
  }
  auto ident = [&](unsigned at) { return std::to_integer<unsigned>(head[at]); };
  if (ident(EI_CLASS) == ELFCLASS32) return "is a 32-bit program: build it for x86-64";
  if (ident(EI_CLASS) != ELFCLASS64) {
    return fmt::format("has an absurd ELF header: class {}", ident(EI_CLASS));
  }
  if (ident(EI_DATA) != ELFDATA2LSB) {
    return "is a big-endian program: build it for x86-64";
  }
  if (ident(EI_VERSION) != EV_CURRENT) {
    return fmt::format("has an absurd ELF header: version {}", ident(EI_VERSION));
  }
  return "";
}

std::string why_not_header(const Elf64_Ehdr& header, std::uint64_t file_bytes) {
  if (header.e_machine != EM_X86_64) {
    return fmt::format("is a program for {}: build it for x86-64", machine_name(header.e_machine));
  }
  if (header.e_type == ET_REL) return "is an object file: link it";
  if (header.e_type == ET_CORE) return "is a core dump, not a program";
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return fmt::format("has an absurd ELF header: type {}", header.e_type);
  }
  if (header.e_phnum == 0) return "has no program headers: it is not a linked program";
  if (header.e_phentsize != sizeof(Elf64_Phdr)) {
    return fmt::format("has an absurd ELF header: program headers of {} bytes, not {}",
                       header.e_phentsize, sizeof(Elf64_Phdr));
  }
  if (header.e_phnum > max_program_headers) {
    return fmt::format("has an absurd ELF header: {} program headers", header.e_phnum);
  }
  std::uint64_t table_bytes = header.e_phnum * sizeof(Elf64_Phdr);
  if (header.e_phoff > file_bytes || table_bytes > file_bytes - header.e_phoff) {
    return fmt::format(
        "is truncated or absurd: its program headers end at byte {}, the file at {}; copy the file "
        "again",
        static_cast<unsigned __int128>(header.e_phoff) + table_bytes > UINT64_MAX
            ? UINT64_MAX
            : header.e_phoff + table_bytes,
        file_bytes);
  }
  return "";
}

std::string why_not_segment(const Elf64_Phdr& segment, bool fixed, std::uint64_t file_bytes) {
  if (segment.p_filesz > segment.p_memsz) {
    return "has an absurd ELF segment: more bytes in the file than in memory";
  }
  if (segment.p_offset > file_bytes || segment.p_filesz > file_bytes - segment.p_offset) {
    return fmt::format(
        "is truncated or absurd: a segment of {} bytes at offset {} does not fit the file's {}; "
        "copy the file again",
        segment.p_filesz, segment.p_offset, file_bytes);
  }
  if ((segment.p_vaddr ^ segment.p_offset) % vmi::page_size != 0) {
    return fmt::format(
        "has an absurd ELF segment: address {:#x} and offset {:#x} differ within a "
        "page",
        segment.p_vaddr, segment.p_offset);
  }
  std::uint64_t begin = fixed ? vmi::user_begin : 0;
  if (segment.p_vaddr < begin || segment.p_vaddr > vmi::user_end ||
      segment.p_memsz > vmi::user_end - segment.p_vaddr) {
    return fmt::format(
        "wants memory outside of a guest program's range: {} bytes at {:#x}; link it "
        "within {:#x} to {:#x}",
        segment.p_memsz, segment.p_vaddr, vmi::user_begin, vmi::user_end);
  }
  return "";
}

std::vector<Elf64_Phdr> program_headers(std::span<const std::byte> head, const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  std::memcpy(segments.data(), head.data() + header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
  return segments;
}

std::string why_not_segments(const std::vector<Elf64_Phdr>& segments, const Elf64_Ehdr& header,
                             std::uint64_t file_bytes) {
  bool any = false, entry_found = false;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_INTERP &&
        (segment.p_filesz < 2 || segment.p_filesz > PATH_MAX || segment.p_offset > file_bytes ||
         segment.p_filesz > file_bytes - segment.p_offset)) {
      return "has an absurd ELF header: its dynamic linker's name lies outside of the file";
    }
    if (segment.p_type != PT_LOAD) continue;
    any = true;
    auto why = why_not_segment(segment, header.e_type == ET_EXEC, file_bytes);
    if (!why.empty()) return why;
    entry_found |= (segment.p_flags & PF_X) && header.e_entry >= segment.p_vaddr &&
                   header.e_entry - segment.p_vaddr < segment.p_memsz;
  }
  if (!any) return "has nothing to load: it is not a linked program";
  if (!entry_found) {
    return fmt::format("has its entry {:#x} in no executable segment: it is a library or damaged",
                       header.e_entry);
  }
  return "";
}

/// The dynamic linker that a checked ELF file names in its first bytes; "" when it runs by itself.
std::string dynamic_linker_of(const std::vector<std::byte>& head) {
  Elf64_Ehdr header;
  std::memcpy(&header, head.data(), sizeof header);
  for (const auto& segment : program_headers(head, header)) {
    if (segment.p_type != PT_INTERP || segment.p_offset >= head.size()) continue;
    std::size_t bytes = std::min<std::size_t>(segment.p_filesz, head.size() - segment.p_offset);
    const char* name = reinterpret_cast<const char*>(head.data()) + segment.p_offset;
    return {name, strnlen(name, bytes)};
  }
  return "";
}

/// The first `bytes` of a file of the tree (fewer when it is shorter).
std::vector<std::byte> head_of(const RootNode& node, std::size_t bytes) {
  std::vector<std::byte> head(bytes);
  if (node.host_path.empty()) {
    head.resize(std::min(bytes, node.content.size()));
    std::memcpy(head.data(), node.content.data(), head.size());
    return head;
  }
  int fd = open(node.host_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw_errno(fmt::format("cannot read {}", node.host_path));
  ssize_t got = read(fd, head.data(), head.size());
  int error = errno;
  close(fd);
  errno = error;
  if (got < 0) throw_errno(fmt::format("cannot read {}", node.host_path));
  head.resize(static_cast<std::size_t>(got));
  return head;
}

/// "#! /bin/sh -e" to "/bin/sh"; nothing when the file is no script.
std::optional<std::string> interpreter_of(const std::vector<std::byte>& head) {
  std::string text(reinterpret_cast<const char*>(head.data()), head.size());
  if (!text.starts_with("#!")) return std::nullopt;
  std::string line = text.substr(2, std::min(text.find('\n'), std::size_t{255}) - 2);
  auto begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return line.substr(begin, line.find_first_of(" \t\r", begin) - begin);
}

[[noreturn]] void refuse(const std::string& path, const std::string& why,
                         int status = ProgramError::not_executable) {
  throw ProgramError(status, fmt::format("cannot run {}: it {}", path, why));
}

/// Where the bytes come from, so that a person finds the file that is wrong.
std::string describe(const std::string& path, const RootNode& node) {
  if (node.host_path.empty() || node.host_path == path) return path;
  return fmt::format("{} (from {})", path, node.host_path);
}

}  // namespace

std::string why_not_elf(std::span<const std::byte> head, std::uint64_t file_bytes) {
  if (auto why = why_not_ident(head); !why.empty()) return why;
  Elf64_Ehdr header;
  std::memcpy(&header, head.data(), sizeof header);
  if (auto why = why_not_header(header, file_bytes); !why.empty()) return why;
  if (header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr) > head.size()) {
    return fmt::format("has its program headers at byte {}, not near its start: link it again",
                       header.e_phoff);
  }
  return why_not_segments(program_headers(head, header), header, file_bytes);
}

namespace {

/// A dynamically linked program starts in its dynamic linker, which finds the libraries.
void check_dynamic_linker(const RootTree& tree, const std::string& program,
                          const std::string& linker) {
  auto target = tree.resolve(linker);
  const RootNode* node = target ? tree.find(*target) : nullptr;
  if (!node) {
    refuse(program, fmt::format("is dynamically linked and its dynamic linker {0} is not in the "
                                "guest's files; add that and the program's libraries (--add "
                                "{0}:{0}), or take a whole system with --root",
                                linker));
  }
  std::string named = fmt::format("{} (dynamic linker of {})", linker, program);
  if (!S_ISREG(node->mode)) refuse(named, "is not a regular file");
  if (!(node->mode & 0111)) refuse(named, "is not executable: chmod +x it on the host");
  if (auto why = why_not_elf(head_of(*node, check_head_bytes), node->size); !why.empty()) {
    refuse(named, why);
  }
}

}  // namespace

void RootTree::check_program(const std::string& argv0) const {
  std::string path = argv0;
  for (int depth = 0; depth <= max_interpreters; ++depth) {
    std::string named = depth == 0 ? argv0 : fmt::format("{} (interpreter of {})", path, argv0);
    if (path.empty() || path[0] != '/') {
      throw ProgramError(
          ProgramError::not_found,
          fmt::format("cannot run '{}': a program is named by its path in the guest, such as "
                      "/bin/busybox",
                      path));
    }
    auto target = resolve(path);
    const RootNode* node = target ? find(*target) : nullptr;
    if (!node) {
      refuse(named,
             fmt::format("is not in the guest's files; put it there with --add HOSTPATH:{}", path),
             ProgramError::not_found);
    }
    if (S_ISDIR(node->mode)) refuse(named, "is a folder: name a program in it");
    if (!S_ISREG(node->mode)) refuse(named, "is not a regular file");
    if (!(node->mode & 0111)) refuse(named, "is not executable: chmod +x it on the host");
    auto head = head_of(*node, check_head_bytes);
    auto interpreter = interpreter_of(head);
    if (!interpreter) {
      std::string described = depth == 0 ? describe(argv0, *node) : named;
      if (auto why = why_not_elf(head, node->size); !why.empty()) refuse(described, why);
      if (auto linker = dynamic_linker_of(head); !linker.empty()) {
        check_dynamic_linker(*this, described, linker);
      }
      return;
    }
    path = *interpreter;
  }
  refuse(argv0, "is a script whose interpreters are scripts, too deep: name a program after #!");
}

}  // namespace monitor
