// trap=direct: a call site that trapped is rewritten, so that the next call there is a jump.
//
//   before             after
//   b8 imm32  mov      e9 rel32  jmp trampoline ----> mov $number, %eax
//   0f 05     syscall  0f 05     syscall              movabs $return_address, %rcx
//                                                     jmp  gate_direct_entry
//
// Only the five bytes of the `mov` change, so a jump to the `syscall` itself still traps. A jump,
// not a call: a pushed return address would overwrite the red zone. What does not fit goes on
// trapping. Whether the bytes are a whole instruction is for the launcher to say, which has a
// disassembler (call_site.cpp); the site traps meanwhile. The page is for the guest kernel to give:
// a copy of the file's text, the same in every process (Upcall::own_text).
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

constexpr std::uint64_t mov_bytes = 5, syscall_bytes = 2, site_bytes = mov_bytes + syscall_bytes;
constexpr std::uint8_t opcode_mov_eax = 0xb8, opcode_jmp = 0xe9;

struct [[gnu::packed]] Trampoline {
  std::uint8_t mov = opcode_mov_eax;
  std::uint32_t number = 0;
  std::uint8_t movabs[2] = {0x48, 0xb9};
  std::uint64_t return_address = 0;
  std::uint8_t jmp[6] = {0xff, 0x25, 3, 0, 0, 0};  // through the last word
  std::uint8_t padding[3] = {0xcc, 0xcc, 0xcc};    // aligned: the guest's AC is still in force
  std::uint64_t target = gate_direct_entry;
};
static_assert(sizeof(Trampoline) == 32);
constexpr std::uint32_t most_trampolines = vmi::trampolines_size / sizeof(Trampoline);

Trampoline* trampolines() {
  return reinterpret_cast<Trampoline*>(vmi::trampolines_base);
}
std::uint32_t trampolines_used;

/// What is known of a site: by its address and by the code before it, as another program may have
/// other code there.
struct Site {
  enum State : std::uint8_t { unknown, asked, good, refused };
  std::uint64_t return_address;
  std::uint32_t code_hash;
  State state;
  std::uint8_t question;  // index, while asked
  std::uint8_t offers;    // times the guest kernel was asked for the page
};
constexpr std::uint32_t most_sites = 2048, probes = 8;
Site sites[most_sites];
Site* asking[most_questions];

/// A site that comes with ever new pages (a program that writes its own code) is left alone.
constexpr std::uint8_t most_offers = 200;

/// Between offer and answer.
struct {
  std::uint64_t return_address;
  std::uint32_t number;
} offered;

struct Code {
  std::uint8_t bytes[sizeof SiteQuestion::code];
  std::uint32_t count;
};

/// The code up to the end of the `syscall` instruction, from the same page. False: not enough of
/// it.
bool read_code(std::uint64_t return_address, Code& code) {
  const std::uint64_t on_page = ((return_address - 1) & (vmi::page_size - 1)) + 1;
  code.count =
      static_cast<std::uint32_t>(on_page < sizeof code.bytes ? on_page : sizeof code.bytes);
  if (code.count < site_bytes || !vmi::is_user_range(return_address - code.count, code.count))
    return false;
  return copy_with_landing(code.bytes, reinterpret_cast<void*>(return_address - code.count),
                           code.count) == 0;
}

const std::uint8_t* mov_of(const Code& code) {
  return code.bytes + code.count - site_bytes;
}

std::uint32_t hash_of(const Code& code) {
  std::uint32_t hash = 2166136261;
  for (std::uint32_t i = 0; i < code.count; ++i) hash = (hash ^ code.bytes[i]) * 16777619;
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
  auto& verdict = image().questions[site.question].verdict;
  const Verdict answer = verdict.load(std::memory_order_acquire);
  if (answer == Verdict::asked) return;
  site.state = answer == Verdict::yes ? Site::good : Site::refused;
  verdict.store(Verdict::none, std::memory_order_relaxed);
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
    question.bytes = code.count;
    std::memcpy(question.code, code.bytes, code.count);
    question.verdict.store(Verdict::asked, std::memory_order_release);
    site.state = Site::asked;
    site.question = static_cast<std::uint8_t>(i);
    constexpr std::uint64_t one = 1;
    counted_host(__NR_write, monitor::guest_wake_fd, &one, sizeof one);
    return;
  }
}

/// Index of the trampoline for a call; a new one if need be. most_trampolines: no more room.
std::uint32_t trampoline_for(std::uint64_t return_address, std::uint32_t number) {
  Trampoline* all = trampolines();
  for (std::uint32_t i = 0; i < trampolines_used; ++i)
    if (all[i].return_address == return_address && all[i].number == number) return i;
  if (trampolines_used == most_trampolines) return most_trampolines;
  Trampoline made;
  made.number = number;
  made.return_address = return_address;
  std::memcpy(static_cast<void*>(&all[trampolines_used]), &made, sizeof made);
  return trampolines_used++;
}

/// The distance from the end of a jump at `from` to the trampoline, by whichever of its mappings is
/// in reach. False: none is.
bool reach(std::uint64_t from, std::uint32_t index, std::int32_t& distance) {
  for (std::uint64_t base : {vmi::trampolines_high, vmi::trampolines_low}) {
    const auto way =
        static_cast<std::int64_t>(base + index * sizeof(Trampoline) - from - mov_bytes);
    distance = static_cast<std::int32_t>(way);
    if (distance == way) return true;
  }
  return false;
}

}  // namespace

void map_trampolines() {
  constexpr std::uint64_t read_execute = 5, shared_fixed = 0x11;
  std::memset(trampolines(), 0xcc, vmi::trampolines_size);
  // Where the host allows no mapping so low, code in low memory goes on trapping.
  for (std::uint64_t base : {vmi::trampolines_high, vmi::trampolines_low})
    counted_host(__NR_mmap, base, vmi::trampolines_size, read_execute, shared_fixed,
                 monitor::guest_memory_fd, vmi::trampolines_base - vmi::window_base);
}

bool offer_site(vmi::TrapFrame& frame) {
  Code code;
  if (!read_code(frame.rip, code)) return false;
  const std::uint8_t* mov = mov_of(code);
  std::uint32_t number;
  std::memcpy(&number, mov + 1, sizeof number);
  // Patched already, and jumped over; or a call that is made in another way.
  if (mov[0] != opcode_mov_eax || number != frame.syscall_number) return false;
  Site* site = find_site(frame.rip, hash_of(code));
  if (site == nullptr) return false;
  if (site->state == Site::unknown) ask(*site, code);
  if (site->state == Site::asked) hear_answer(*site);
  if (site->state != Site::good || site->offers == most_offers) return false;
  ++site->offers;
  offered = {frame.rip, number};
  frame.rip -= site_bytes;
  frame.kind = vmi::Upcall::own_text;
  frame.fault_address = frame.rip;
  return true;
}

void patch_text(std::uint64_t va, vmi::Frame frame) {
  const std::uint32_t index = trampoline_for(offered.return_address, offered.number);
  std::int32_t distance;
  if (index == most_trampolines || !reach(va, index, distance)) return;
  std::uint8_t jump[mov_bytes] = {opcode_jmp};
  std::memcpy(jump + 1, &distance, sizeof distance);
  poke_frame(frame, va % vmi::page_size, jump, sizeof jump);
  ++shared_info().counters.sites_patched;
}

void leave_trampoline(vmi::TrapFrame& frame) {
  for (std::uint64_t base : {vmi::trampolines_high, vmi::trampolines_low}) {
    const std::uint64_t index = (frame.rip - base) / sizeof(Trampoline);
    if (frame.rip < base || index >= trampolines_used) continue;
    const Trampoline& trampoline = trampolines()[index];
    frame.rax = trampoline.number;
    frame.rip = trampoline.return_address - syscall_bytes;
  }
}

}  // namespace extended
