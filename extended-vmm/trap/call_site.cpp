// x86 code cannot be decoded backwards: the five bytes of a `mov` may be the end of a longer
// instruction (`41 b8 imm32`, mov to r8d, ends with them), and so may the two of an `xor`. Decoded
// forwards from a wrong byte, though, it falls into step with the true instructions within a few of
// them. So it is decoded from each of the bytes before; the site is patched only if they agree that
// an instruction begins there.
#include "extended-vmm/trap/call_site.h"

#include <Zydis/Zydis.h>

#include <algorithm>

#include "extended-vmm/trap/patched_site.h"

namespace extended {
namespace {

/// Decoding from less far away proves little: it may not be in step yet.
constexpr std::size_t step_bytes = 16;

class Decoder {
 public:
  Decoder() { ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64); }
  bool decode(std::span<const std::uint8_t> code, ZydisDecodedInstruction& instruction) const {
    return ZYAN_SUCCESS(
        ZydisDecoderDecodeInstruction(&decoder_, nullptr, code.data(), code.size(), &instruction));
  }

 private:
  ZydisDecoder decoder_;
};

enum class Way { hits, misses, fails };

/// Decodes from `start` on: does an instruction begin at `target`?
Way follow(const Decoder& decoder, std::span<const std::uint8_t> code, std::size_t start,
           std::size_t target) {
  while (start < target) {
    ZydisDecodedInstruction instruction;
    if (!decoder.decode(code.subspan(start), instruction)) return Way::fails;
    start += instruction.length;
  }
  return start == target ? Way::hits : Way::misses;
}

/// An instruction begins at `target` from wherever one decodes, but for a few places.
bool begins_instruction(const Decoder& decoder, std::span<const std::uint8_t> code,
                        std::size_t target) {
  std::size_t hits = 0, misses = 0;
  for (std::size_t start = 0; start + step_bytes <= target; ++start) {
    const Way way = follow(decoder, code, start, target);
    hits += way == Way::hits;
    misses += way == Way::misses;
  }
  return hits >= 4 && misses * 8 <= hits;
}

/// Never to the next instruction.
bool goes_elsewhere(const ZydisDecodedInstruction& instruction) {
  return instruction.mnemonic == ZYDIS_MNEMONIC_RET || instruction.mnemonic == ZYDIS_MNEMONIC_JMP;
}

/// Do NOPs there fill up to a multiple of 16, and no more, with room for a jump?
bool fills_up(std::uint64_t begin, std::uint64_t end) {
  return begin % 16 != 0 && end - begin >= jump_bytes && end == (begin | 15) + 1;
}

}  // namespace

bool loads_number(std::span<const std::uint8_t> before, std::size_t bytes) {
  if ((bytes != mov_bytes && bytes != xor_bytes) || before.size() < bytes + syscall_bytes)
    return false;
  const std::size_t load_at = before.size() - syscall_bytes - bytes;
  const auto code = before.subspan(load_at);
  const bool is_load = bytes == mov_bytes ? code[0] == opcode_mov_eax
                                          : std::equal(xor_eax, xor_eax + xor_bytes, code.data());
  const Decoder decoder;
  ZydisDecodedInstruction load, call;
  return is_load && decoder.decode(code, load) && load.length == bytes &&
         decoder.decode(code.subspan(bytes), call) && call.mnemonic == ZYDIS_MNEMONIC_SYSCALL &&
         begins_instruction(decoder, before, load_at);
}

// The code behind a `syscall` instruction can be decoded forwards, up to where it goes elsewhere.
// What comes then might be anything; but compilers align what is jumped to, and fill with NOPs.
// They may also begin functions with NOPs, for tools to write over: so what is aligned belongs to
// what begins there, and filling ends with it.
std::optional<std::uint32_t> find_room(std::span<const std::uint8_t> after, std::uint64_t at) {
  constexpr std::size_t reach = 127 - syscall_bytes;
  const Decoder decoder;
  ZydisDecodedInstruction instruction;
  bool ended = false;
  std::size_t nops = 0;  // where a run of NOPs began that nothing runs into
  for (std::size_t start = 0;
       start < after.size() && decoder.decode(after.subspan(start), instruction);
       start += instruction.length) {
    if (instruction.mnemonic == ZYDIS_MNEMONIC_NOP) continue;
    if (ended && fills_up(at + nops, at + start)) {
      if (nops <= reach) return static_cast<std::uint32_t>(nops);
      return {};
    }
    ended = goes_elsewhere(instruction);
    nops = start + instruction.length;
  }
  return {};
}

void answer(std::span<SiteQuestion> questions) {
  for (SiteQuestion& question : questions) {
    if (question.verdict.load(std::memory_order_acquire) != Verdict::asked) continue;
    // The question is the machine's, which may be broken, and change it meanwhile.
    const SiteCode site = question.code;
    const std::size_t before = std::min<std::size_t>(site.before, most_before);
    const std::size_t after = std::min<std::size_t>(site.after, most_after);
    const std::span code(site.bytes);
    std::optional<std::uint32_t> room;
    if (loads_number(code.first(before), site.load_bytes))
      room = site.load_bytes < jump_bytes ? find_room(code.subspan(before, after), site.page_offset)
                                          : 0;
    question.room = room.value_or(0);
    question.verdict.store(room ? Verdict::yes : Verdict::no, std::memory_order_release);
  }
}

}  // namespace extended
