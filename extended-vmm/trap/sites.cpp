// trap=direct: a call site that trapped is rewritten, so that the next call there is a jump.
//
//   before             after
//   b8 imm32  mov      e9 rel32  jmp trampoline ----> mov $number, %eax
//   0f 05     syscall  0f 05     syscall              movabs $return_address, %rcx
//                                                     jmp  gate_direct_entry
//
// and where the number is zero, that of read():
//
//   31 c0     xor %eax, %eax      eb rel8  jmp room -----> jmp trampoline
//   0f 05     syscall             0f 05    syscall
//
// The room are NOPs that fill up behind the function's end. The `syscall` stays, so a jump to it
// still traps. A jump, not a call: a pushed return address would overwrite the red zone. What does
// not fit goes on trapping. What the bytes are is for the launcher to say, which has a disassembler
// (call_site.cpp); the site traps meanwhile. The page is for the guest kernel to give: a copy of
// the file's text, the same in every process (Upcall::own_text).
//
// Kernel mode, on the way from a trap to its upcall.
#include "extended-vmm/trap/sites.h"

#include <asm/unistd_64.h>

#include <cstring>

#include "extended-vmm/trap/gate.h"
#include "extended-vmm/trap/upcall.h"
#include "monitor/guest_process_fd.h"

extern "C" std::uint64_t copy_with_landing(void* to, const void* from, std::uint64_t bytes);

namespace extended {
namespace {

constexpr std::uint8_t opcode_jmp = 0xe9, opcode_jmp_short = 0xeb;

/// The site's own instruction, filled up with a NOP.
struct [[gnu::packed]] Load {
  std::uint8_t code[mov_bytes];

  static Load of_mov(std::uint32_t number) {
    Load load{{opcode_mov_eax}};
    std::memcpy(load.code + 1, &number, sizeof number);
    return load;
  }
  static constexpr Load of_xor() { return {{xor_eax[0], xor_eax[1], 0x0f, 0x1f, 0}}; }
  [[nodiscard]] bool is_xor() const { return code[0] == xor_eax[0]; }
  /// Without the NOP.
  [[nodiscard]] std::uint32_t bytes() const { return is_xor() ? xor_bytes : mov_bytes; }
  [[nodiscard]] std::uint32_t number() const {
    std::uint32_t number = 0;
    if (!is_xor()) std::memcpy(&number, code + 1, sizeof number);
    return number;
  }
  friend bool operator==(const Load&, const Load&) = default;
};

struct [[gnu::packed]] Trampoline {
  Load load{};
  std::uint8_t movabs[2] = {0x48, 0xb9};
  std::uint64_t return_address = 0;
  std::uint8_t jmp[6] = {0xff, 0x25, 3, 0, 0, 0};  // through the last word
  std::uint8_t room = 0;                           // of the site
  std::uint8_t padding[2] = {0xcc, 0xcc};          // aligned: the guest's AC is still in force
  std::uint64_t target = gate_direct_entry;
};
static_assert(sizeof(Trampoline) == 32);
constexpr std::uint32_t most_trampolines = vmi::trampolines_size / sizeof(Trampoline);

Trampoline* trampolines() {
  return reinterpret_cast<Trampoline*>(vmi::trampolines_base);
}
std::uint32_t trampolines_used;
/// The host allowed their mapping in low memory.
bool low_trampolines;

/// What is known of a site: by its address and by the code around it, as another program may have
/// other code there.
struct Site {
  enum State : std::uint8_t { unknown, asked, good, refused };
  std::uint64_t return_address;
  std::uint32_t code_hash;
  State state;
  std::uint8_t question;  // index, while asked
  std::uint8_t offers;    // times the guest kernel was asked for the page
  std::uint8_t room;      // once good: behind the return address, for an `xor`
  Load load;
};
constexpr std::uint32_t most_sites = 2048, probes = 8;
Site sites[most_sites];
Site* asking[most_questions];
/// Between offer and answer.
Site* offered;

/// A site that comes with ever new pages (a program that writes its own code) is left alone.
constexpr std::uint8_t most_offers = 200;

struct Code {
  std::uint8_t bytes[most_before + most_after];
  std::uint32_t before, after;  // as in SiteQuestion
  Load load;
};

bool copy_user(void* to, std::uint64_t from, std::uint64_t bytes) {
  return vmi::is_user_range(from, bytes) &&
         copy_with_landing(to, reinterpret_cast<void*>(from), bytes) == 0;
}

/// The code up to the end of the `syscall` instruction and, if it loads its number by an `xor`,
/// what is behind it on the page: that is to be written to. False: not enough of it, patched
/// already and jumped over, or a call that is made in another way.
bool read_code(std::uint64_t return_address, std::uint32_t number, Code& code) {
  const auto on_page =
      static_cast<std::uint32_t>(((return_address - 1) & (vmi::page_size - 1)) + 1);
  code.before = most_before;
  code.after = 0;
  if (!copy_user(code.bytes, return_address - most_before, most_before)) {
    // The page before is not there.
    if (on_page < mov_bytes + syscall_bytes || on_page >= most_before) return false;
    code.before = on_page;
    if (!copy_user(code.bytes, return_address - on_page, on_page)) return false;
  }
  const std::uint8_t* load = code.bytes + code.before - syscall_bytes;
  code.load = Load::of_mov(number);
  if (std::memcmp(load - mov_bytes, code.load.code, mov_bytes) == 0)
    return on_page >= mov_bytes + syscall_bytes;
  code.load = Load::of_xor();
  const std::uint32_t left = vmi::page_size - on_page;
  code.after = left < most_after ? left : most_after;
  return number == 0 && on_page >= xor_bytes + syscall_bytes &&
         std::memcmp(load - xor_bytes, xor_eax, xor_bytes) == 0 &&
         copy_user(code.bytes + code.before, return_address, code.after);
}

std::uint32_t hash_of(const Code& code) {
  std::uint32_t hash = 2166136261;
  for (std::uint32_t i = 0; i < code.before + code.after; ++i)
    hash = (hash ^ code.bytes[i]) * 16777619;
  return hash;
}

/// The table's entry, perhaps a new one; nullptr when there is no room near its place.
Site* find_site(std::uint64_t return_address, std::uint32_t code_hash) {
  const std::uint64_t start = (return_address ^ code_hash) * 0x9e3779b97f4a7c15 >> 40;
  for (std::uint32_t i = 0; i < probes; ++i) {
    Site& site = sites[(start + i) % most_sites];
    if (site.state == Site::unknown) {
      site.return_address = return_address;
      site.code_hash = code_hash;
      return &site;
    }
    if (site.return_address == return_address && site.code_hash == code_hash) return &site;
  }
  return nullptr;
}

void hear_answer(Site& site) {
  SiteQuestion& question = image().questions[site.question];
  const Verdict answer = question.verdict.load(std::memory_order_acquire);
  if (answer == Verdict::asked) return;
  site.state = answer == Verdict::yes ? Site::good : Site::refused;
  site.room = static_cast<std::uint8_t>(question.room);
  question.verdict.store(Verdict::none, std::memory_order_relaxed);
  asking[site.question] = nullptr;
}

void ask(Site& site, const Code& code) {
  auto& questions = image().questions;
  for (std::uint32_t i = 0; i < most_questions; ++i) {
    SiteQuestion& question = questions[i];
    // Most sites never trap again, and nobody else would hear their answers.
    if (asking[i] != nullptr) hear_answer(*asking[i]);
    if (asking[i] != nullptr) continue;
    asking[i] = &site;
    question.load_bytes = code.load.bytes();
    question.before = code.before;
    question.after = code.after;
    question.page_offset = static_cast<std::uint32_t>(site.return_address % vmi::page_size);
    std::memcpy(question.code, code.bytes, code.before + code.after);
    question.verdict.store(Verdict::asked, std::memory_order_release);
    site.state = Site::asked;
    site.question = static_cast<std::uint8_t>(i);
    site.load = code.load;
    constexpr std::uint64_t one = 1;
    sure("write", counted_host(__NR_write, monitor::guest_wake_fd, &one, sizeof one));
    return;
  }
}

/// Index of the trampoline for a call; a new one if need be. most_trampolines: no more room.
std::uint32_t trampoline_for(const Site& site) {
  Trampoline* all = trampolines();
  for (std::uint32_t i = 0; i < trampolines_used; ++i)
    if (all[i].return_address == site.return_address && all[i].load == site.load &&
        all[i].room == site.room)
      return i;
  if (trampolines_used == most_trampolines) return most_trampolines;
  Trampoline made;
  made.load = site.load;
  made.return_address = site.return_address;
  made.room = site.room;
  std::memcpy(static_cast<void*>(&all[trampolines_used]), &made, sizeof made);
  return trampolines_used++;
}

/// The distance from the end of a jump at `from` to the trampoline, by whichever of its mappings is
/// in reach. False: none is.
bool reach(std::uint64_t from, std::uint32_t index, std::int32_t& distance) {
  for (std::uint64_t base : {vmi::trampolines_high, vmi::trampolines_low}) {
    const auto way =
        static_cast<std::int64_t>(base + index * sizeof(Trampoline) - from - jump_bytes);
    distance = static_cast<std::int32_t>(way);
    if (distance == way) return base != vmi::trampolines_low || low_trampolines;
  }
  return false;
}

/// Which trampoline is code at, or about to be at from the room of a short site? Null: none.
const Trampoline* find_trampoline(std::uint64_t rip) {
  const Trampoline* all = trampolines();
  for (std::uint64_t base : {vmi::trampolines_high, vmi::trampolines_low}) {
    const std::uint64_t index = (rip - base) / sizeof(Trampoline);
    if (rip >= base && index < trampolines_used) return all + index;
  }
  for (std::uint32_t i = 0; i < trampolines_used; ++i)
    if (all[i].room != 0 && all[i].return_address + all[i].room == rip) return all + i;
  return nullptr;
}

}  // namespace

void map_trampolines() {
  constexpr std::uint64_t read_execute = 5, shared_fixed = 0x11;
  std::memset(trampolines(), 0xcc, vmi::trampolines_size);
  const auto map_at = [](std::uint64_t base) {
    return counted_host(__NR_mmap, base, vmi::trampolines_size, read_execute, shared_fixed,
                        monitor::guest_memory_fd, vmi::trampolines_base - vmi::window_base);
  };
  sure("mmap", map_at(vmi::trampolines_high));
  // Where the host allows no mapping so low, code in low memory goes on trapping.
  low_trampolines = map_at(vmi::trampolines_low) >= 0;
}

bool offer_site(vmi::TrapFrame& frame) {
  Code code;
  if (!read_code(frame.rip, static_cast<std::uint32_t>(frame.syscall_number), code)) return false;
  Site* site = find_site(frame.rip, hash_of(code));
  if (site == nullptr) return false;
  if (site->state == Site::unknown) ask(*site, code);
  if (site->state == Site::asked) hear_answer(*site);
  if (site->state != Site::good || site->offers == most_offers) return false;
  ++site->offers;
  offered = site;
  frame.rip -= code.load.bytes() + syscall_bytes;
  frame.kind = vmi::Upcall::own_text;
  frame.fault_address = frame.rip;
  return true;
}

// The page may have been another process's before, and patched for it: then there is nothing to do.
void patch_text(std::uint64_t va, vmi::Frame frame) {
  const Site& site = *offered;
  const bool is_short = site.load.is_xor();
  const std::uint64_t jump_at = is_short ? site.return_address + site.room : va;
  std::uint8_t load[mov_bytes], in_place;
  peek_frame(frame, va % vmi::page_size, load, site.load.bytes());
  peek_frame(frame, jump_at % vmi::page_size, &in_place, 1);
  // Two sites may want the same room.
  if (std::memcmp(load, site.load.code, site.load.bytes()) != 0 || in_place == opcode_jmp) return;
  const std::uint32_t index = trampoline_for(site);
  std::int32_t distance;
  if (index == most_trampolines || !reach(jump_at, index, distance)) return;
  std::uint8_t jump[jump_bytes] = {opcode_jmp};
  std::memcpy(jump + 1, &distance, sizeof distance);
  poke_frame(frame, jump_at % vmi::page_size, jump, sizeof jump);
  const std::uint8_t to_room[xor_bytes] = {opcode_jmp_short,
                                           static_cast<std::uint8_t>(site.room + syscall_bytes)};
  if (is_short) poke_frame(frame, va % vmi::page_size, to_room, sizeof to_room);
  ++shared_info().counters.sites_patched;
}

void leave_trampoline(vmi::TrapFrame& frame) {
  constexpr std::uint64_t flags_of_xor = 0x8c5, flags_of_zero = 0x44;  // OF SF ZF PF CF; ZF PF
  const Trampoline* found = find_trampoline(frame.rip);
  if (found == nullptr) return;
  frame.rax = found->load.number();
  if (found->load.is_xor()) frame.rflags = (frame.rflags & ~flags_of_xor) | flags_of_zero;
  frame.rip = found->return_address - syscall_bytes;
}

}  // namespace extended
