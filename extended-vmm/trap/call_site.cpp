// x86 code cannot be decoded backwards: the five bytes of a `mov` may be the end of a longer
// instruction (`41 b8 imm32`, mov to r8d, ends with them). Decoded forwards from a wrong byte,
// though, it falls into step with the true instructions within a few of them. So it is decoded from
// each of the bytes before; the site is patched only if they agree that an instruction begins
// there.
#include "extended-vmm/trap/call_site.h"

#include <Zydis/Zydis.h>

namespace extended {
namespace {

constexpr std::size_t mov_bytes = 5, syscall_bytes = 2;
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

}  // namespace

bool is_patchable(std::span<const std::uint8_t> code) {
  if (code.size() < mov_bytes + syscall_bytes) return false;
  const Decoder decoder;
  const std::size_t mov_at = code.size() - syscall_bytes - mov_bytes;
  ZydisDecodedInstruction mov, call;
  if (!decoder.decode(code.subspan(mov_at), mov) || mov.mnemonic != ZYDIS_MNEMONIC_MOV ||
      mov.length != mov_bytes || code[mov_at] != 0xb8)
    return false;
  if (!decoder.decode(code.subspan(mov_at + mov_bytes), call) ||
      call.mnemonic != ZYDIS_MNEMONIC_SYSCALL)
    return false;
  std::size_t hits = 0, misses = 0;
  for (std::size_t start = 0; start + step_bytes <= mov_at; ++start) {
    const Way way = follow(decoder, code, start, mov_at);
    hits += way == Way::hits;
    misses += way == Way::misses;
  }
  return hits >= 4 && misses * 8 <= hits;
}

void answer(std::span<SiteQuestion> questions) {
  for (SiteQuestion& question : questions) {
    if (question.verdict.load(std::memory_order_acquire) != Verdict::asked) continue;
    const std::size_t bytes = std::min<std::size_t>(question.bytes, sizeof question.code);
    const bool yes = is_patchable({question.code, bytes});
    question.verdict.store(yes ? Verdict::yes : Verdict::no, std::memory_order_release);
  }
}

}  // namespace extended
