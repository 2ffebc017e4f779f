// describe_death: what a launcher prints when its guest kernel has died. The stack is unwound here,
// in the launcher, by libunwind over the guest memory's mapping: nothing in the guest has to work
// any more. Everything read on the way may be garbage; what cannot be believed ends the list.
#include <cxxabi.h>
#include <fmt/format.h>
#include <libunwind.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <vector>

#include "monitor/guest/elf_image.h"
#include "monitor/guest/memory.h"
#include "monitor/tool/error.h"

// Exported by libunwind-x86_64 for unwinders of other processes, but in none of its headers.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t, unw_word_t ip, unw_dyn_info_t*,
                                                  unw_proc_info_t*, int need_unwind_info, void*);

namespace monitor {

namespace {

constexpr int depth_max = 64;

/// The guest at its death: what libunwind's accessors get as their argument.
struct Dead {
  const GuestMemory& memory;
  KernelRegisters registers;
  std::vector<ElfImage> images;

  [[nodiscard]] const ElfImage* image_at(std::uint64_t address) const {
    for (const ElfImage& image : images) {
      if (image.contains(address)) return &image;
    }
    return nullptr;
  }

  /// A word of the window or the attic. Code and unwind tables come from the images, not from
  /// memory that the guest kernel may have overwritten.
  bool read(std::uint64_t address, std::uint64_t& value) const {
    if (const ElfImage* image = image_at(address)) {
      if (auto bytes = image->constant(address, sizeof value)) {
        std::memcpy(&value, bytes->data(), sizeof value);
        return true;
      }
    }
    if (address + sizeof value - 1 < address) return false;
    const std::byte* first = memory.at(address);
    if (!first || !memory.at(address + sizeof value - 1)) return false;
    std::memcpy(&value, first, sizeof value);
    return true;
  }
};

// -- libunwind's accessors.

/// Where the sorted table of .eh_frame_hdr lies, in the one encoding that linkers write.
bool unwind_table(const ElfImage& image, unw_dyn_info_t& info) {
  struct Header {
    std::uint8_t version, frame_encoding, count_encoding, table_encoding;
    std::int32_t frame;
    std::uint32_t count;
  } header;
  constexpr std::uint8_t count_udata4 = 0x03, table_datarel_sdata4 = 0x3b;
  auto section = image.unwind_header();
  if (!section || section->file_bytes.size() < sizeof header) return false;
  std::memcpy(&header, section->file_bytes.data(), sizeof header);
  constexpr std::uint64_t entry_bytes = 8;
  if (header.version != 1 || header.count_encoding != count_udata4 ||
      header.table_encoding != table_datarel_sdata4 ||
      header.count > (section->file_bytes.size() - sizeof header) / entry_bytes) {
    return false;
  }
  info.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  info.u.rti.segbase = section->address;
  info.u.rti.table_data = section->address + sizeof header;
  info.u.rti.table_len = header.count * entry_bytes / sizeof(unw_word_t);
  return true;
}

int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t* procedure,
                   int need_unwind_info, void* argument) {
  const auto& dead = *static_cast<const Dead*>(argument);
  const ElfImage* image = dead.image_at(ip);
  unw_dyn_info_t info{};
  if (!image || !unwind_table(*image, info)) return -UNW_ENOINFO;
  info.start_ip = vmi::window_base;
  info.end_ip = vmi::window_end;
  return _Ux86_64_dwarf_search_unwind_table(space, ip, &info, procedure, need_unwind_info,
                                            argument);
}

void put_unwind_info(unw_addr_space_t, unw_proc_info_t*, void*) {}

int get_dyn_info_list_addr(unw_addr_space_t, unw_word_t*, void*) {
  return -UNW_ENOINFO;
}

int access_mem(unw_addr_space_t, unw_word_t address, unw_word_t* value, int write, void* argument) {
  std::uint64_t word = 0;
  if (write || !static_cast<const Dead*>(argument)->read(address, word)) return -UNW_EINVAL;
  *value = word;
  return 0;
}

int access_reg(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write,
               void* argument) {
  const KernelRegisters& r = static_cast<const Dead*>(argument)->registers;
  const std::array<std::uint64_t, 17> by_number = {r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi,
                                                   r.rbp, r.rsp, r.r8,  r.r9,  r.r10, r.r11,
                                                   r.r12, r.r13, r.r14, r.r15, r.rip};
  static_assert(UNW_X86_64_RAX == 0 && UNW_X86_64_RSP == 7 && UNW_X86_64_RIP == 16);
  if (write || number < 0 || number >= static_cast<int>(by_number.size())) return -UNW_EBADREG;
  *value = by_number[static_cast<std::size_t>(number)];
  return 0;
}

int access_fpreg(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) {
  return -UNW_EBADREG;
}

int resume(unw_addr_space_t, unw_cursor_t*, void*) {
  return -UNW_EINVAL;
}

int get_proc_name(unw_addr_space_t, unw_word_t, char*, size_t, unw_word_t*, void*) {
  return -UNW_ENOINFO;
}

// -- Text.

std::string demangled(std::string_view name) {
  int status = 0;
  std::unique_ptr<char, decltype(&std::free)> plain(
      abi::__cxa_demangle(std::string(name).c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 && plain ? std::string(plain.get()) : std::string(name);
}

/// `return_address`: the call itself lies before it, and may be a function's last instruction.
std::string frame_line(const Dead& dead, int depth, std::uint64_t ip, bool return_address) {
  const ElfImage* image = dead.image_at(ip);
  auto symbol = image ? image->symbol(return_address ? ip - 1 : ip) : std::nullopt;
  std::string where = symbol  ? fmt::format("{}+{:#x}", demangled(symbol->name),
                                            symbol->offset + (return_address ? 1 : 0))
                      : image ? "(no symbol)"
                              : "(neither guest kernel nor monitor)";
  return fmt::format("  #{:<2} {:#014x} {}\n", depth, ip, where);
}

std::string register_lines(const KernelRegisters& r) {
  const std::pair<const char*, std::uint64_t> all[] = {
      {"rip", r.rip}, {"rsp", r.rsp}, {"rbp", r.rbp}, {"flg", r.rflags}, {"rax", r.rax},
      {"rbx", r.rbx}, {"rcx", r.rcx}, {"rdx", r.rdx}, {"rsi", r.rsi},    {"rdi", r.rdi},
      {"r8", r.r8},   {"r9", r.r9},   {"r10", r.r10}, {"r11", r.r11},    {"r12", r.r12},
      {"r13", r.r13}, {"r14", r.r14}, {"r15", r.r15}};
  std::string text;
  for (std::size_t i = 0; i < std::size(all); ++i) {
    bool last = i % 4 == 3 || i + 1 == std::size(all);
    text += fmt::format("{}{:>3} {:016x}{}", i % 4 == 0 ? "  " : " ", all[i].first, all[i].second,
                        last ? "\n" : "");
  }
  return text;
}

std::string unwound(Dead& dead) {
  // A call through a bad pointer: that place has no frame, but its caller's address was pushed.
  std::string text;
  int depth = 0;
  std::uint64_t caller = 0;
  bool first_is_return = false;
  if (!dead.image_at(dead.registers.rip) && dead.read(dead.registers.rsp, caller) &&
      dead.image_at(caller)) {
    text += frame_line(dead, depth++, dead.registers.rip, false);
    dead.registers.rip = caller;
    dead.registers.rsp += sizeof caller;
    first_is_return = true;
  }

  unw_accessors_t accessors{};
  accessors.find_proc_info = find_proc_info;
  accessors.put_unwind_info = put_unwind_info;
  accessors.get_dyn_info_list_addr = get_dyn_info_list_addr;
  accessors.access_mem = access_mem;
  accessors.access_reg = access_reg;
  accessors.access_fpreg = access_fpreg;
  accessors.resume = resume;
  accessors.get_proc_name = get_proc_name;
  std::unique_ptr<std::remove_pointer_t<unw_addr_space_t>, decltype(&unw_destroy_addr_space)> space(
      unw_create_addr_space(&accessors, 0), &unw_destroy_addr_space);
  unw_cursor_t cursor;
  if (!space || unw_init_remote(&cursor, space.get(), &dead) != 0) return text;
  unw_set_caching_policy(space.get(), UNW_CACHE_NONE);

  unw_word_t last_sp = 0;
  for (bool outermost = true; depth < depth_max; outermost = false) {
    unw_word_t ip = 0, sp = 0;
    if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 || unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0) {
      break;
    }
    bool known = dead.image_at(ip) != nullptr;
    if (!outermost && (!known || sp <= last_sp)) break;
    text += frame_line(dead, depth++, ip, outermost ? first_is_return : true);
    last_sp = sp;
    if (!known || unw_step(&cursor) <= 0) break;
  }
  return text;
}

}  // namespace

std::string describe_death(const GuestMemory& memory, const std::string& message,
                           const KernelRegisters& registers,
                           std::span<const std::byte> resident_elf) {
  Dead dead{memory, registers, {}};
  const std::pair<std::span<const std::byte>, const char*> images[] = {
      {kernel_image(), "guest kernel"}, {resident_elf, "resident part"}};
  for (const auto& [bytes, name] : images) {
    try {
      dead.images.emplace_back(bytes, name);
    } catch (const HostError&) {
      // The report of a death is no place to die: without that image fewer frames have names.
    }
  }
  return fmt::format("{}\n{}guest kernel stack:\n{}", message, register_lines(registers),
                     unwound(dead));
}

}  // namespace monitor
