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

bool has_mov(const Bytes& before) {
  return loads_number(before, mov_bytes);
}
bool has_xor(const Bytes& before) {
  return loads_number(before, xor_bytes);
}

TEST(CallSite, OfALibraryIsPatchable) {
  EXPECT_TRUE(has_mov(prologue + site));
  EXPECT_TRUE(has_mov(nops(32) + site));
  // A long nop, as between functions, and the function's endbr64.
  const Bytes padding = {0xc3, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x0f, 0x1f, 0x40, 0};
  EXPECT_TRUE(has_mov(prologue + padding + Bytes{0xf3, 0x0f, 0x1e, 0xfa} + site));
}

TEST(CallSite, WithALongerMovIsNot) {
  // mov $imm32, %r8d ends with the same five bytes, but for its prefix; mov $imm32, %rax has
  // others.
  EXPECT_FALSE(has_mov(prologue + Bytes{0x41} + site));
  EXPECT_FALSE(has_mov(nops(32) + Bytes{0x41} + site));
  EXPECT_FALSE(has_mov(prologue + Bytes{0x48, 0xc7, 0xc0, 0x27, 0, 0, 0} + call));
  // movabs with these bytes at its end.
  EXPECT_FALSE(has_mov(prologue + Bytes{0x48, 0xb9, 1, 2, 3} + site));
  // The displacement of an earlier instruction: lea disp32(%rip).
  EXPECT_FALSE(has_mov(prologue + Bytes{0x48, 0x8d, 0x05, 0xb8, 0x27, 0, 0} + call));
}

TEST(CallSite, WithAnotherInstructionIsNot) {
  EXPECT_FALSE(has_mov(prologue + Bytes{0xbf, 0x27, 0, 0, 0} + call));  // to edi
  EXPECT_FALSE(has_mov(prologue + mov + Bytes{0xcd, 0x80}));            // int $0x80
  EXPECT_FALSE(has_mov(prologue + mov + Bytes{0x0f, 0x34}));            // sysenter
}

TEST(CallSite, WithAnXorIsLikeOneWithAMov) {
  const Bytes read = Bytes{0x31, 0xc0} + call;
  EXPECT_TRUE(has_xor(prologue + read));
  EXPECT_FALSE(has_xor(prologue + site));
  EXPECT_FALSE(has_xor(prologue + Bytes{0x31, 0xd2} + call));  // of edx
  EXPECT_FALSE(has_xor(prologue + Bytes{0x4d} + read));        // of r8
  EXPECT_FALSE(has_xor(read));
  // The immediate of an earlier instruction: mov $0xc031, %dx; add $0xc0310000, %edx.
  EXPECT_FALSE(has_xor(prologue + Bytes{0x66, 0xba} + read));
  EXPECT_FALSE(has_xor(prologue + Bytes{0x81, 0xc2, 0, 0} + read));
}

/// cmp $-4096, %rax; ja +9; ret.
const Bytes epilogue = {0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77, 0x09, 0xc3};
const Bytes long_nop = {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0};

TEST(Room, IsWhatFillsUpBehindAReturn) {
  const Bytes next = {0x48, 0x83, 0xec, 0x28};
  const auto ends = epilogue.size() + long_nop.size();
  EXPECT_EQ(find_room(epilogue + long_nop + next, 4096 - ends), epilogue.size());
  EXPECT_EQ(find_room(epilogue + long_nop + next, 32 - ends), epilogue.size());
  // A jump elsewhere will do; NOPs in several instructions will do.
  const Bytes jump = {0xeb, 0xf0};
  EXPECT_EQ(find_room(jump + nops(6) + next, 8), 2u);
  EXPECT_EQ(find_room(jump + nops(5) + next, 9), 2u);
  EXPECT_EQ(find_room(jump + nops(15) + next, 15), 2u);
}

/// Functions may begin with NOPs, and are aligned.
TEST(Room, IsNotWhatAFunctionBeginsWith) {
  const Bytes next = {0x48, 0x83, 0xec, 0x28}, jump = {0xeb, 0xf0};
  EXPECT_FALSE(find_room(jump + nops(16) + next, 14));
  EXPECT_FALSE(find_room(jump + nops(3) + nops(16) + next, 11));
  EXPECT_FALSE(find_room(jump + nops(9) + nops(16) + next, 5));
  // Not aligned, and longer than what fills up.
  EXPECT_FALSE(find_room(jump + nops(32) + next, 9));
  // What follows is not known.
  EXPECT_FALSE(find_room(jump + nops(6), 8));
}

TEST(Room, IsNothingElse) {
  const Bytes jump = {0xeb, 0xf0}, conditional = {0x75, 0xf0}, next = {0x50};
  EXPECT_FALSE(find_room({}, 0));
  EXPECT_FALSE(find_room(jump + nops(4) + next, 10));        // too little
  EXPECT_FALSE(find_room(jump + nops(6) + next, 12));        // aligns nothing
  EXPECT_FALSE(find_room(conditional + nops(6) + next, 8));  // runs into it
  EXPECT_FALSE(find_room(nops(15) + next, 1));               // likewise
  EXPECT_FALSE(find_room(jump + Bytes(6, 0) + next, 8));     // no NOPs
  EXPECT_FALSE(find_room(jump + Bytes(6, 0x06) + next, 8));  // no instructions
  // As far as a short jump goes, and farther.
  EXPECT_EQ(find_room(Bytes(124, 0x50) + Bytes{0xc3} + nops(6) + next, 13), 125u);
  EXPECT_FALSE(find_room(Bytes(125, 0x50) + Bytes{0xc3} + nops(6) + next, 12));
}

TEST(CallSite, WithTooLittleBeforeItIsNot) {
  EXPECT_FALSE(has_mov({}));
  EXPECT_FALSE(has_mov(call));
  EXPECT_FALSE(has_mov(site));
  EXPECT_FALSE(has_mov(nops(15) + site));
}

TEST(CallSite, BehindDataIsNotUnlessItFallsIntoStep) {
  // No instructions at all.
  EXPECT_FALSE(has_mov(Bytes(40, 0x06) + site));
  EXPECT_FALSE(has_mov(Bytes(40, 0xff) + site));
}

TEST(CallSite, AnyBytesAreLookedAtSafely) {
  std::uint32_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    Bytes code(static_cast<std::size_t>(i % 65));
    for (auto& byte : code)
      byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    has_mov(code);
    has_xor(code);
    find_room(code, state);
    const Bytes with_site = code + site;
    EXPECT_TRUE(!has_mov(with_site) || code.size() >= 16);
  }
}

TEST(CallSite, QuestionsAreAnsweredOnce) {
  std::array<SiteQuestion, 4> questions{};
  auto ask = [](SiteQuestion& question, const Bytes& code) {
    question.code = {};
    question.code.load_bytes = mov_bytes;
    question.code.before = static_cast<std::uint8_t>(code.size());
    std::copy(code.begin(), code.end(), question.code.bytes);
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
  // One that needs room, and has it or not.
  auto& read = questions[0];
  for (const bool room : {true, false}) {
    const Bytes code = prologue + Bytes{0x31, 0xc0} + call;
    ask(read, code);
    const Bytes behind = epilogue + long_nop + Bytes{0x50};
    std::copy(behind.begin(), behind.end(), read.code.bytes + code.size());
    read.code.load_bytes = xor_bytes;
    read.code.after = static_cast<std::uint8_t>(behind.size());
    read.code.page_offset = room ? 13 : 12;
    answer(questions);
    EXPECT_EQ(read.verdict, room ? Verdict::yes : Verdict::no);
    EXPECT_EQ(read.room, room ? epilogue.size() : 0);
  }
  // Lengths that cannot be.
  ask(questions[3], prologue + site);
  for (const std::uint8_t load : {mov_bytes, xor_bytes, std::uint64_t{0}, std::uint64_t{255}}) {
    questions[3].code.before = questions[3].code.after = 0xff;
    questions[3].code.load_bytes = load;
    questions[3].verdict = Verdict::asked;
    answer(questions);
    EXPECT_EQ(questions[3].verdict, Verdict::no);
  }
}

}  // namespace
}  // namespace extended
