// What a tick undoes: only what the bytes of the space it interrupted say, and only where that is
// the same as to go on. And what is remembered of sites: nothing of one for another.
#include "extended-vmm/trap/patched_site.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "extended-vmm/trap/site_table.h"

namespace extended {
namespace {

constexpr std::uint64_t long_return = 0x20000247, short_return = 0x20001044, room = 7;
constexpr std::uint64_t flags = 0x246 | 0x881, flags_after_xor = 0x246;

/// The memory of the current space, byte by byte.
std::map<std::uint64_t, std::uint8_t> space;

void put(std::uint64_t at, const void* from, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) space[at + i] = static_cast<const std::uint8_t*>(from)[i];
}
bool read_space(void* to, std::uint64_t from, std::uint64_t bytes) {
  for (std::uint64_t i = 0; i < bytes; ++i) {
    const auto found = space.find(from + i);
    if (found == space.end()) return false;
    static_cast<std::uint8_t*>(to)[i] = found->second;
  }
  return true;
}

class PatchedSite : public testing::Test {
 protected:
  PatchedSite() {
    all_[0].load = Load::of_mov(39);
    all_[0].return_address = long_return;
    all_[1].load = Load::of_xor();
    all_[1].return_address = short_return;
    all_[1].room = room;
    space.clear();
    for (std::uint32_t i = 0; i < 2; ++i) {
      Jump jump;
      EXPECT_TRUE(make_jump(all_[i].jump_at(), i, true, jump));
      put(all_[i].jump_at(), &jump, sizeof jump);
      put(all_[i].call_at(), "\x0f\x05\xc3", 3);
    }
    const auto to_room = ShortJump::to_room(room);
    put(all_[1].load_at(), &to_room, sizeof to_room);
  }

  [[nodiscard]] vmi::TrapFrame stopped(std::uint64_t rip, std::uint64_t rcx = 5) const {
    vmi::TrapFrame frame{};
    frame.rip = rip;
    frame.rax = 77;
    frame.rcx = rcx;
    frame.rflags = flags;
    undo_jump({all_, 2}, read_space, frame);
    return frame;
  }
  void expect_alone(std::uint64_t rip, std::uint64_t rcx = 5) const {
    const auto frame = stopped(rip, rcx);
    EXPECT_EQ(frame.rip, rip);
    EXPECT_EQ(frame.rax, 77u);
    EXPECT_EQ(frame.rflags, flags);
  }
  static std::uint64_t way(std::uint32_t index) {
    return vmi::trampolines_low + index * sizeof(Trampoline);
  }

  Trampoline all_[3];
};

TEST_F(PatchedSite, IsUndoneFromEachInstructionOnTheWay) {
  for (std::uint64_t mapping : {vmi::trampolines_low, vmi::trampolines_high}) {
    const auto at_load = stopped(mapping);
    EXPECT_EQ(at_load.rip, long_return - 2);
    EXPECT_EQ(at_load.rax, 39u);
    EXPECT_EQ(at_load.rflags, flags);
    // Loaded: what it is, whoever has loaded it.
    EXPECT_EQ(stopped(mapping + 5).rip, long_return - 2);
    EXPECT_EQ(stopped(mapping + 5).rax, 77u);
    EXPECT_EQ(stopped(mapping + 15, long_return).rip, long_return - 2);
  }
  for (std::uint64_t rip : {way(1), short_return + room}) {
    const auto at_load = stopped(rip);
    EXPECT_EQ(at_load.rip, short_return - 2);
    EXPECT_EQ(at_load.rax, 0u);
    EXPECT_EQ(at_load.rflags, flags_after_xor);
  }
  for (std::uint64_t at : {2, 5}) {
    EXPECT_EQ(stopped(way(1) + at).rip, short_return - 2);
    EXPECT_EQ(stopped(way(1) + at).rflags, flags);
  }
}

TEST_F(PatchedSite, IsLeftAloneElsewhere) {
  // Between instructions, behind them, with another way back, or before any of them.
  for (std::uint64_t i = 0; i < 2; ++i)
    for (std::uint64_t at = 1; at < 32; ++at)
      if (at != 5 && !(i == 1 && at == 2)) expect_alone(way(static_cast<std::uint32_t>(i)) + at);
  expect_alone(way(0) + 15, long_return + 1);
  expect_alone(way(2));
  for (std::uint64_t at = long_return - 7; at < long_return + 32; ++at) expect_alone(at);
  for (std::uint64_t at = short_return - 4; at < short_return + 32; ++at)
    if (at != short_return + room) expect_alone(at);
}

TEST_F(PatchedSite, OfAnotherSpaceIsLeftAlone) {
  const auto whole = space;
  const std::vector<std::uint64_t> stops[] = {{way(0), way(0) + 5},
                                              {way(1), way(1) + 2, short_return + room}};
  // Any byte of the site's jumps and of its call is another, or not there.
  for (const bool there : {true, false})
    for (const auto& [at, byte] : whole) {
      const bool is_short = at >= 0x20001000;
      if (at == long_return || at == short_return) continue;
      space = whole;
      if (there)
        space[at] ^= 1;
      else
        space.erase(at);
      for (std::uint64_t rip : stops[is_short]) expect_alone(rip);
      EXPECT_NE(stopped(stops[!is_short][0]).rip, stops[!is_short][0]);
    }
  space.clear();
  for (const auto& way_of : stops)
    for (std::uint64_t rip : way_of) expect_alone(rip);
}

TEST_F(PatchedSite, IsNoJumpToAnotherTrampolineOrIntoOne) {
  Jump jump;
  ASSERT_TRUE(make_jump(all_[1].jump_at(), 0, true, jump));
  put(all_[1].jump_at(), &jump, sizeof jump);
  expect_alone(short_return + room);
  expect_alone(way(1));
  ASSERT_TRUE(make_jump(all_[1].jump_at(), 1, true, jump));
  jump.distance += 5;
  put(all_[1].jump_at(), &jump, sizeof jump);
  expect_alone(short_return + room);
  expect_alone(way(1));
}

TEST_F(PatchedSite, IsOutOfReachInTheMiddleOfMemory) {
  Jump jump;
  EXPECT_FALSE(make_jump(0x4000'0000'0000, 0, true, jump));
  for (std::uint64_t from : {vmi::user_begin, 0x7000'0000ul, vmi::user_end - 5})
    EXPECT_TRUE(make_jump(from, 1023, true, jump)) << from;
  // Where the host allows no mapping so low.
  EXPECT_FALSE(make_jump(vmi::user_begin, 0, false, jump));
  EXPECT_TRUE(make_jump(vmi::user_end - 5, 0, false, jump));
}

SiteCode code_of(std::uint8_t seed) {
  SiteCode code{};
  code.before = most_before;
  code.bytes[0] = seed;
  return code;
}

TEST(SiteTable, KnowsASiteByAllOfItsCode) {
  auto table = std::make_unique<SiteTable>();
  Site* site = table->find(0x1000, code_of(1));
  ASSERT_NE(site, nullptr);
  EXPECT_EQ(site->state, Site::unknown);
  site->state = Site::good;
  EXPECT_EQ(table->find(0x1000, code_of(1)), site);
  EXPECT_NE(table->find(0x1001, code_of(1)), site);
  // Whichever byte is another.
  for (std::uint32_t i = 0; i < most_before + most_after; ++i) {
    SiteCode other = code_of(1);
    other.bytes[i] ^= 0x80;
    auto fresh = std::make_unique<SiteTable>();
    fresh->find(0x1000, code_of(1))->state = Site::good;
    EXPECT_EQ(fresh->find(0x1000, other)->state, Site::unknown) << i;
  }
}

TEST(SiteTable, ForgetsButNotWhatIsBeingAskedAbout) {
  auto table = std::make_unique<SiteTable>();
  Site* asked = table->find(0x1000, code_of(0));
  asked->state = Site::asked;
  for (int i = 1; i < 200; ++i) {
    Site* site = table->find(0x1000, code_of(static_cast<std::uint8_t>(i)));
    ASSERT_NE(site, nullptr);
    ASSERT_NE(site, asked);
    EXPECT_EQ(site->state, Site::unknown);
    site->state = Site::good;
  }
  EXPECT_EQ(table->find(0x1000, code_of(0)), asked);
  // All of them: there is no place for more.
  for (int i = 0; i < 8; ++i)
    if (Site* site = table->find(0x1000, code_of(static_cast<std::uint8_t>(i))))
      site->state = Site::asked;
  EXPECT_EQ(table->find(0x1000, code_of(100)), nullptr);
}

}  // namespace
}  // namespace extended
