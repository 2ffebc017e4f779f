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
// That is why nothing is written but over the very bytes that were judged, all of them, looked at
// again in that page.
//
// Kernel mode, on the way from a trap to its upcall.
#include "extended-vmm/trap/sites.h"

#include <asm/unistd_64.h>

#include <cstring>

#include "extended-vmm/trap/patched_site.h"
#include "extended-vmm/trap/site_table.h"
#include "extended-vmm/trap/upcall.h"
#include "monitor/guest_process_fd.h"

extern "C" std::uint64_t copy_with_landing(void* to, const void* from, std::uint64_t bytes);

namespace extended {
namespace {

Trampoline* trampolines() {
  return reinterpret_cast<Trampoline*>(vmi::trampolines_base);
}
std::uint32_t trampolines_used;
/// The host allowed their mapping in low memory.
bool low_trampolines;

SiteTable sites;
Site* asking[most_questions];
/// Between offer and answer.
Site* offered;

/// A site that comes with ever new pages (a program that writes its own code) is left alone.
constexpr std::uint8_t most_offers = 200;

bool copy_user(void* to, std::uint64_t from, std::uint64_t bytes) {
  return vmi::is_user_range(from, bytes) &&
         copy_with_landing(to, reinterpret_cast<void*>(from), bytes) == 0;
}

bool ends_with(const SiteCode& code, const Load& load) {
  const std::uint32_t bytes = load.bytes() + syscall_bytes;
  return code.before >= bytes &&
         std::memcmp(code.bytes + code.before - bytes, load.code, load.bytes()) == 0;
}

/// The code up to the end of the `syscall` instruction and, if it loads its number by an `xor`,
/// what is behind it: that is to be written to. False: not enough of it, patched already and jumped
/// over, or a call that is made in another way.
bool read_code(std::uint64_t return_address, std::uint32_t number, SiteCode& code) {
  const std::uint64_t on_page = ((return_address - 1) & (vmi::page_size - 1)) + 1;
  const std::uint64_t left = vmi::page_size - on_page;
  code = {};
  code.page_offset = static_cast<std::uint16_t>(on_page);
  code.before = static_cast<std::uint8_t>(on_page < most_before ? on_page : most_before);
  if (!copy_user(code.bytes, return_address - code.before, code.before)) return false;
  code.load_bytes = mov_bytes;
  if (ends_with(code, Load::of_mov(number))) return true;
  code.load_bytes = xor_bytes;
  code.after = static_cast<std::uint8_t>(left < most_after ? left : most_after);
  return number == 0 && ends_with(code, Load::of_xor()) &&
         copy_user(code.bytes + code.before, return_address, code.after);
}

/// The load of a site whose code has one.
Load load_of(const SiteCode& code) {
  Load load = Load::of_xor();
  const std::uint8_t* at = code.bytes + code.before - syscall_bytes - code.load_bytes;
  std::memcpy(load.code, at, code.load_bytes);
  return load;
}

/// A jump over what was not judged is none.
bool fits(const SiteCode& code, std::uint32_t room) {
  if (code.load_bytes >= jump_bytes) return room == 0;
  return room <= farthest_room && room + jump_bytes <= code.after;
}

void hear_answer(Site& site) {
  SiteQuestion& question = image().questions[site.question];
  const Verdict answer = question.verdict.load(std::memory_order_acquire);
  if (answer == Verdict::asked) return;
  const bool good = answer == Verdict::yes && fits(site.code, question.room);
  site.state = good ? Site::good : Site::refused;
  site.room = static_cast<std::uint8_t>(question.room);
  question.verdict.store(Verdict::none, std::memory_order_relaxed);
  asking[site.question] = nullptr;
}

void ask(Site& site) {
  auto& questions = image().questions;
  for (std::uint32_t i = 0; i < most_questions; ++i) {
    SiteQuestion& question = questions[i];
    // Most sites never trap again, and nobody else would hear their answers.
    if (asking[i] != nullptr) hear_answer(*asking[i]);
    if (asking[i] != nullptr) continue;
    asking[i] = &site;
    question.code = site.code;
    question.verdict.store(Verdict::asked, std::memory_order_release);
    site.state = Site::asked;
    site.question = static_cast<std::uint8_t>(i);
    constexpr std::uint64_t one = 1;
    sure("write", counted_host(__NR_write, monitor::guest_wake_fd, &one, sizeof one));
    return;
  }
}

/// Index of the trampoline for a site; if need be the next one, which is not used before it is
/// counted. most_trampolines: no more room.
std::uint32_t trampoline_for(const Site& site) {
  Trampoline made;
  made.load = load_of(site.code);
  made.return_address = site.return_address;
  made.room = site.room;
  Trampoline* all = trampolines();
  for (std::uint32_t i = 0; i < trampolines_used; ++i)
    if (std::memcmp(&all[i], &made, sizeof made) == 0) return i;
  if (trampolines_used == most_trampolines) return most_trampolines;
  std::memcpy(static_cast<void*>(&all[trampolines_used]), &made, sizeof made);
  return trampolines_used;
}

/// The page may be another than the one that was judged, or have been changed since: by this site
/// already, for another process, or by one that has taken the room.
bool is_as_judged(const SiteCode& code, vmi::Frame frame) {
  std::uint8_t now[sizeof code.bytes] = {};
  const vmi::Bytes begin(code.page_offset - code.before), bytes(code.before + code.after);
  peek_frame(frame, begin, now, bytes);
  return std::memcmp(now, code.bytes, bytes.number) == 0;
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
  SiteCode code;
  if (!read_code(frame.rip, static_cast<std::uint32_t>(frame.syscall_number), code)) return false;
  Site* site = sites.find(frame.rip, code);
  if (site == nullptr) return false;
  if (site->state == Site::unknown) ask(*site);
  if (site->state == Site::asked) hear_answer(*site);
  if (site->state != Site::good || site->offers == most_offers) return false;
  ++site->offers;
  offered = site;
  frame.rip = site->load_at();
  frame.kind = vmi::Upcall::own_text;
  frame.fault_address = frame.rip;
  return true;
}

// The guest kernel may have waited for the page, and others may have trapped meanwhile.
void patch_text(std::uint64_t va, vmi::Frame frame) {
  if (offered == nullptr || offered->state != Site::good || offered->load_at() != va) return;
  const Site& site = *offered;
  if (!is_as_judged(site.code, frame)) return;
  const std::uint32_t index = trampoline_for(site);
  if (index == most_trampolines) return;
  const std::uint64_t jump_at = trampolines()[index].jump_at();
  Jump jump;
  if (!make_jump(jump_at, index, low_trampolines, jump)) return;
  poke_frame(frame, vmi::Bytes(jump_at % vmi::page_size), &jump, vmi::Bytes(sizeof jump));
  if (site.code.load_bytes < jump_bytes) {
    const ShortJump to_room = ShortJump::to_room(site.room);
    poke_frame(frame, vmi::Bytes(va % vmi::page_size), &to_room, vmi::Bytes(sizeof to_room));
  }
  if (index == trampolines_used) ++trampolines_used;
  ++shared_info().counters.sites_patched;
}

void leave_trampoline(vmi::TrapFrame& frame) {
  undo_jump({trampolines(), trampolines_used}, copy_user, frame);
}

}  // namespace extended
