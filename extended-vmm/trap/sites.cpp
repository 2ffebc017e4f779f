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

#include "extended-vmm/trap/offers.h"
#include "extended-vmm/trap/trampolines.h"
#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"

extern "C" std::uint64_t copy_with_landing(void* to, const void* from, std::uint64_t bytes);

namespace extended {
namespace {

SiteTable sites;
Site* asking[most_questions];
Offers offers;

/// Of late, since all rewritten code was forgotten last: calls that trapped for want of room.
std::uint32_t wasted;
/// Then it is time to begin anew: to patch as many sites again as have room costs about as much.
constexpr std::uint32_t most_wasted = 1 << 17;

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
  return room <= farthest_room && code.page_offset + room <= vmi::page_size &&
         end_of_room(code.page_offset + room) <= code.page_offset + code.after;
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

Trampoline trampoline_of(const Site& site) {
  Trampoline made;
  made.load = load_of(site.code);
  made.return_address = site.return_address;
  made.room = site.room;
  return made;
}

/// The page may be another than the one that was judged, or have been changed since: by this site
/// already, for another process, or by one that has taken the room.
bool is_as_judged(const SiteCode& code, const std::uint8_t* page) {
  return std::memcmp(page + code.page_offset - code.before, code.bytes, code.before + code.after) ==
         0;
}

/// One page of code, to be worked on.
alignas(vmi::page_size) std::uint8_t page[vmi::page_size];
constexpr vmi::Bytes whole_page(sizeof page);

/// A jump to the `syscall` came with flags that the load would change: to go back to it would show.
bool goes_back_unseen(const Site& site, const vmi::TrapFrame& frame) {
  return site.code.load_bytes != xor_bytes ||
         (frame.rflags & (flags_of_xor | flag_adjust)) == flags_of_zero;
}

}  // namespace

bool offer_site(vmi::TrapFrame& frame) {
  SiteCode code;
  if (!read_code(frame.rip, static_cast<std::uint32_t>(frame.syscall_number), code)) return false;
  Site* site = sites.find(frame.rip, code);
  if (site == nullptr) return false;
  if (site->state == Site::unknown) ask(*site);
  if (site->state == Site::asked) hear_answer(*site);
  if (site->state == Site::crowded) {
    ++shared_info().counters.calls_without_room;
    if (++wasted < most_wasted) return false;
  } else if (site->state != Site::good) {
    return false;
  }
  if (site->offers == most_offers || !goes_back_unseen(*site, frame)) return false;
  ++site->offers;
  frame.rip = site->load_at();
  frame.kind = vmi::Upcall::own_text;
  offers.make(*site).put_into(frame);
  return true;
}

// The guest kernel may have waited for the page, and others may have trapped meanwhile.
bool patch_text(vmi::TextOffer offer, vmi::Frame frame) {
  auto& counters = shared_info().counters;
  Site site;
  if (!offers.take(offer, site)) {
    ++counters.text_answers_refused;
    return true;
  }
  peek_frame(frame, vmi::Bytes(0), page, whole_page);
  if (!is_as_judged(site.code, page)) return true;
  const Trampoline trampoline = trampoline_of(site);
  const Places places = places_in_reach(trampoline.jump_at());
  if (places.count == 0 || (places.first == 0 && !have_low_trampolines())) return true;
  const std::uint32_t index = place_of(trampoline, places);
  if (index == most_trampolines) {
    if (Site* known = sites.find(site.return_address, site.code);
        known != nullptr && known->state == Site::good)
      known->state = Site::crowded;
    return wasted < most_wasted;
  }
  if (!patch_code(page, offer.va & ~(vmi::page_size - 1), trampoline, index)) return true;
  write_trampoline(index, trampoline);
  poke_frame(frame, vmi::Bytes(0), page, whole_page);
  ++counters.sites_patched;
  return true;
}

bool may_rewrite(std::uint64_t va, vmi::Frame frame, vmi::Frames pages) {
  for (std::uint32_t i = 0; i < pages.number; ++i) {
    peek_frame(frame + i, vmi::Bytes(0), page, whole_page);
    if (!is_free_of_jumps(page, va + i * vmi::page_size)) return false;
  }
  return true;
}

void restore_text(std::uint64_t va, vmi::Frame frame, vmi::Frames pages) {
  for (std::uint32_t i = 0; i < pages.number; ++i) {
    peek_frame(frame + i, vmi::Bytes(0), page, whole_page);
    if (restore_code(read_trampoline, page, va + i * vmi::page_size))
      poke_frame(frame + i, vmi::Bytes(0), page, whole_page);
  }
}

// No jump is left, and nobody is on the way from one: whoever was stopped there went back to his
// call (leave_trampoline), unless he had forged his way there.
void forget_text() {
  empty_trampolines();
  sites.make_room();
  wasted = 0;
  ++shared_info().counters.text_restored;
}

void leave_trampoline(vmi::TrapFrame& frame) {
  undo_jump(read_trampoline, copy_user, frame);
}

}  // namespace extended
