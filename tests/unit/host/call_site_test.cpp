// Which system calls may be rewritten: the whole `mov $n, %eax` right before `syscall`, and nothing
// that only looks like it.
#include "extended-vmm/trap/call_site.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace extended {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Bytes call = {0x0f, 0x05};
const Bytes mov = {0xb8, 0x27, 0, 0, 0};
const Bytes site = mov + call;

Bytes nops(std::size_t count) {
  return Bytes(count, 0x90);
}

/// As compilers make them: endbr64; push; sub; mov; xor; test; jne; lea.
const Bytes prologue = {0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x83, 0xec, 0x18, 0x48, 0x89, 0xfd,
                        0x31, 0xc0, 0x85, 0xf6, 0x75, 0x10, 0x48, 0x8d, 0x74, 0x24, 0x08, 0x89,
                        0xd7, 0x41, 0x89, 0xc8, 0x4c, 0x89, 0xe2, 0x49, 0x89, 0xda};

TEST(CallSite, OfALibraryIsPatchable) {
  EXPECT_TRUE(is_patchable(prologue + site));
  EXPECT_TRUE(is_patchable(nops(32) + site));
  // A long nop, as between functions, and the function's endbr64.
  const Bytes padding = {0xc3, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x0f, 0x1f, 0x40, 0};
  EXPECT_TRUE(is_patchable(prologue + padding + Bytes{0xf3, 0x0f, 0x1e, 0xfa} + site));
}

TEST(CallSite, WithALongerMovIsNot) {
  // mov $imm32, %r8d ends with the same five bytes, but for its prefix; mov $imm32, %rax has
  // others.
  EXPECT_FALSE(is_patchable(prologue + Bytes{0x41} + site));
  EXPECT_FALSE(is_patchable(nops(32) + Bytes{0x41} + site));
  EXPECT_FALSE(is_patchable(prologue + Bytes{0x48, 0xc7, 0xc0, 0x27, 0, 0, 0} + call));
  // movabs with these bytes at its end.
  EXPECT_FALSE(is_patchable(prologue + Bytes{0x48, 0xb9, 1, 2, 3} + site));
  // The displacement of an earlier instruction: lea disp32(%rip).
  EXPECT_FALSE(is_patchable(prologue + Bytes{0x48, 0x8d, 0x05, 0xb8, 0x27, 0, 0} + call));
}

TEST(CallSite, WithAnotherInstructionIsNot) {
  EXPECT_FALSE(is_patchable(prologue + Bytes{0xbf, 0x27, 0, 0, 0} + call));  // to edi
  EXPECT_FALSE(is_patchable(prologue + Bytes{0x31, 0xc0} + call));           // xor %eax, %eax
  EXPECT_FALSE(is_patchable(prologue + mov + Bytes{0xcd, 0x80}));            // int $0x80
  EXPECT_FALSE(is_patchable(prologue + mov + Bytes{0x0f, 0x34}));            // sysenter
}

TEST(CallSite, WithTooLittleBeforeItIsNot) {
  EXPECT_FALSE(is_patchable({}));
  EXPECT_FALSE(is_patchable(call));
  EXPECT_FALSE(is_patchable(site));
  EXPECT_FALSE(is_patchable(nops(15) + site));
}

TEST(CallSite, BehindDataIsNotUnlessItFallsIntoStep) {
  // No instructions at all.
  EXPECT_FALSE(is_patchable(Bytes(40, 0x06) + site));
  EXPECT_FALSE(is_patchable(Bytes(40, 0xff) + site));
}

TEST(CallSite, AnyBytesAreLookedAtSafely) {
  std::uint32_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    Bytes code(static_cast<std::size_t>(i % 65));
    for (auto& byte : code)
      byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    is_patchable(code);
    const Bytes with_site = code + site;
    EXPECT_TRUE(!is_patchable(with_site) || code.size() >= 16);
  }
}

TEST(CallSite, QuestionsAreAnsweredOnce) {
  std::array<SiteQuestion, 4> questions{};
  auto ask = [](SiteQuestion& question, const Bytes& code) {
    question.bytes = static_cast<std::uint32_t>(code.size());
    std::copy(code.begin(), code.end(), question.code);
    question.verdict = Verdict::asked;
  };
  ask(questions[1], prologue + site);
  ask(questions[2], prologue + Bytes{0x41} + site);
  answer(questions);
  EXPECT_EQ(questions[0].verdict, Verdict::none);
  EXPECT_EQ(questions[1].verdict, Verdict::yes);
  EXPECT_EQ(questions[2].verdict, Verdict::no);
  answer(questions);
  EXPECT_EQ(questions[1].verdict, Verdict::yes);
  // A length that cannot be.
  ask(questions[3], prologue + site);
  questions[3].bytes = 0xffffffff;
  answer(questions);
  EXPECT_EQ(questions[3].verdict, Verdict::no);
}

}  // namespace
}  // namespace extended
