// What a tick undoes: only what the bytes of the space it interrupted say, and only where that is
// the same as to go on. And what is remembered of sites: nothing of one for another.
#include "extended-vmm/trap/patched_site.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "extended-vmm/trap/offers.h"

namespace extended {
namespace {

constexpr std::uint64_t high_return = 0x7ffe'f000'0247, long_return = 0x20000247,
                        short_return = 0x20001044, room = 7;
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

/// Those that are used, by their numbers.
std::map<std::uint32_t, Trampoline> all;
bool read_trampoline(std::uint32_t index, Trampoline& trampoline) {
  const auto found = all.find(index);
  if (found == all.end()) return false;
  trampoline = found->second;
  return true;
}

class PatchedSite : public testing::Test {
 protected:
  PatchedSite() {
    all.clear();
    all[0].load = Load::of_mov(39);
    all[0].return_address = long_return;
    all[1].load = Load::of_xor();
    all[1].return_address = short_return;
    all[1].room = room;
    space.clear();
    for (std::uint32_t i = 0; i < 2; ++i) {
      const Jump jump = make_jump(all[i].jump_at(), i);
      put(all[i].jump_at(), &jump, sizeof jump);
      put(all[i].call_at(), "\x0f\x05\xc3", 3);
    }
    const auto to_room = ShortJump::to_room(room);
    put(all[1].load_at(), &to_room, sizeof to_room);
  }

  [[nodiscard]] vmi::TrapFrame stopped(std::uint64_t rip, std::uint64_t rcx = 5) const {
    vmi::TrapFrame frame{};
    frame.rip = rip;
    frame.rax = 77;
    frame.rcx = rcx;
    frame.rflags = flags;
    undo_jump(read_trampoline, read_space, frame);
    return frame;
  }
  void expect_alone(std::uint64_t rip, std::uint64_t rcx = 5) const {
    const auto frame = stopped(rip, rcx);
    EXPECT_EQ(frame.rip, rip);
    EXPECT_EQ(frame.rax, 77u);
    EXPECT_EQ(frame.rflags, flags);
  }
  /// A site of 39 near the end of user memory, and the number of its trampoline.
  static std::uint32_t add_high_site() {
    const std::uint32_t index = low_trampolines + 3;
    all[index].load = Load::of_mov(39);
    all[index].return_address = high_return;
    const Jump jump = make_jump(all[index].jump_at(), index);
    put(all[index].jump_at(), &jump, sizeof jump);
    put(all[index].call_at(), "\x0f\x05\xc3", 3);
    return index;
  }
  static std::uint64_t way(std::uint32_t index) {
    return vmi::trampolines_low + index * sizeof(Trampoline);
  }
};

TEST_F(PatchedSite, IsUndoneFromEachInstructionOnTheWay) {
  const std::uint64_t high = vmi::trampolines_high + 3 * sizeof(Trampoline);
  ASSERT_EQ(add_high_site(), low_trampolines + 3);
  for (const auto& [at, home] : {std::pair{way(0), long_return}, {high, high_return}}) {
    const auto at_load = stopped(at);
    EXPECT_EQ(at_load.rip, home - 2);
    EXPECT_EQ(at_load.rax, 39u);
    EXPECT_EQ(at_load.rflags, flags);
    // Loaded: what it is, whoever has loaded it.
    EXPECT_EQ(stopped(at + 5).rip, home - 2);
    EXPECT_EQ(stopped(at + 5).rax, 77u);
    EXPECT_EQ(stopped(at + 15, home).rip, home - 2);
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
  Jump jump = make_jump(all[1].jump_at(), 0);
  put(all[1].jump_at(), &jump, sizeof jump);
  expect_alone(short_return + room);
  expect_alone(way(1));
  jump = make_jump(all[1].jump_at(), 1);
  jump.distance += 5;
  put(all[1].jump_at(), &jump, sizeof jump);
  expect_alone(short_return + room);
  expect_alone(way(1));
}

TEST(TrampolinesInReach, AreLowOnesOrOthers) {
  EXPECT_EQ(places_in_reach(0x4000'0000'0000).count, 0u);
  for (std::uint64_t from : {vmi::user_begin, 0x7000'0000ul, 0x7fff'fff0ul}) {
    EXPECT_EQ(places_in_reach(from).first, 0u) << from;
    EXPECT_EQ(places_in_reach(from).count, low_trampolines) << from;
  }
  for (std::uint64_t from : {vmi::user_end - 0x7000'0000, vmi::user_end - 5}) {
    EXPECT_EQ(places_in_reach(from).first, low_trampolines) << from;
    EXPECT_EQ(places_in_reach(from).count, most_trampolines - low_trampolines) << from;
    for (std::uint32_t index : {low_trampolines, most_trampolines - 1})
      EXPECT_EQ(from + sizeof(Jump) +
                    static_cast<std::uint64_t>(std::int64_t{make_jump(from, index).distance}),
                vmi::trampolines_high + (index - low_trampolines) * sizeof(Trampoline));
  }
  EXPECT_EQ(places_in_reach(0x8002'0000).count, 0u);
}

// -- All of a page's sites are undone at once.

struct PageOfCode {
  std::uint64_t va;
  std::vector<std::uint8_t> bytes;
  explicit PageOfCode(std::uint64_t at) : va(at), bytes(vmi::page_size, 0x90) {
    for (const auto& [where, byte] : space)
      if (where >= va && where - va < vmi::page_size) bytes[where - va] = byte;
  }
  [[nodiscard]] std::vector<std::uint8_t> at(std::uint64_t where, std::size_t count) const {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(where - va);
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }
};

TEST_F(PatchedSite, IsRestored) {
  using Bytes = std::vector<std::uint8_t>;
  PageOfCode of_mov(long_return & ~0xfffull);
  EXPECT_TRUE(restore_code(read_trampoline, of_mov.bytes.data(), of_mov.va));
  EXPECT_EQ(of_mov.at(long_return - 7, 8), Bytes({0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3}));
  EXPECT_FALSE(restore_code(read_trampoline, of_mov.bytes.data(), of_mov.va));
  PageOfCode of_xor(short_return & ~0xfffull);
  EXPECT_TRUE(restore_code(read_trampoline, of_xor.bytes.data(), of_xor.va));
  EXPECT_EQ(of_xor.at(short_return - 4, 5), Bytes({0x31, 0xc0, 0x0f, 0x05, 0xc3}));
  EXPECT_EQ(of_xor.at(short_return + room, 5), Bytes({0x0f, 0x1f, 0x44, 0, 0}));
}

TEST_F(PatchedSite, IsRestoredOnlyWhereItWasPatched) {
  // The same jump from elsewhere, to the middle of a trampoline, to an unused one, across the end.
  const std::uint64_t va = long_return & ~0xfffull;
  for (const auto& [from, index, off] :
       {std::tuple{va + 0x800, 0u, 0}, {long_return - 7, 0u, 5}, {long_return - 7, 5u, 0}}) {
    space.clear();
    Jump jump = make_jump(from, index);
    jump.distance += off;
    put(from, &jump, sizeof jump);
    PageOfCode page(va);
    const auto before = page.bytes;
    EXPECT_FALSE(restore_code(read_trampoline, page.bytes.data(), va));
    EXPECT_EQ(page.bytes, before);
  }
  space.clear();
  PageOfCode page(va);
  page.bytes[vmi::page_size - 2] = opcode_jmp;
  EXPECT_FALSE(restore_code(read_trampoline, page.bytes.data(), va));
}

TEST_F(PatchedSite, IsPatchedAsItIsRestored) {
  for (std::uint32_t i = 0; i < 2; ++i) {
    const PageOfCode patched(all[i].return_address & ~0xfffull);
    PageOfCode page = patched;
    EXPECT_FALSE(is_free_of_jumps(page.bytes.data(), page.va));
    ASSERT_TRUE(restore_code(read_trampoline, page.bytes.data(), page.va));
    EXPECT_TRUE(is_free_of_jumps(page.bytes.data(), page.va));
    EXPECT_TRUE(patch_code(page.bytes.data(), page.va, all[i], i));
    EXPECT_EQ(page.bytes, patched.bytes);
  }
}

/// Any bytes that would be taken for a jump, whoever has put them there.
TEST_F(PatchedSite, IsNotPatchedAmongWhatLooksLikeIt) {
  const std::uint64_t va = long_return & ~0xfffull;
  space.clear();
  const Jump jump = make_jump(va + 0x801, 7);
  put(va + 0x801, &jump, sizeof jump);
  EXPECT_FALSE(is_free_of_jumps(PageOfCode(va).bytes.data(), va));
  EXPECT_TRUE(is_free_of_jumps(PageOfCode(va).bytes.data(), va + 1));

  // With what stands before it the new jump's bytes would look like another: e9 ?? e9 d0 d1.
  space.clear();
  Trampoline site;
  site.load = Load::of_mov(39);
  for (site.return_address = 0x1600'0047; site.return_address < 0x1800'0000;
       site.return_address += vmi::page_size) {
    const std::uint64_t page_va = site.return_address & ~0xfffull, before = site.jump_at() - 4;
    PageOfCode page(page_va);
    std::uint8_t* const at = page.bytes.data() + (before - page_va);
    const Jump other = make_jump(before, 3);
    if (reinterpret_cast<const std::uint8_t*>(&other)[4] != opcode_jmp) continue;
    std::memcpy(at, &other, 4);
    EXPECT_TRUE(is_free_of_jumps(page.bytes.data(), page_va));
    EXPECT_FALSE(patch_code(page.bytes.data(), page_va, site, 0));
    return;
  }
  FAIL() << "no such place";
}

// -- Offers to the guest kernel.

Site site_at(std::uint64_t return_address) {
  Site site{};
  site.return_address = return_address;
  site.code.load_bytes = mov_bytes;
  return site;
}

TEST(Offers, AreTakenOnceInAnyOrder) {
  auto offers = std::make_unique<Offers>(Offers{});
  const auto first = offers->make(site_at(0x1007)), second = offers->make(site_at(0x2007));
  EXPECT_EQ(first.va, 0x1000u);
  Site site{};
  ASSERT_TRUE(offers->take(second, site));
  EXPECT_EQ(site.return_address, 0x2007u);
  ASSERT_TRUE(offers->take(first, site));
  EXPECT_EQ(site.return_address, 0x1007u);
  EXPECT_FALSE(offers->take(first, site));
  EXPECT_FALSE(offers->take(second, site));
}

TEST(Offers, ThatAreMadeUpOrTooOldAreRefused) {
  auto offers = std::make_unique<Offers>(Offers{});
  Site site = site_at(0);
  EXPECT_FALSE(offers->take({0, site.load_at()}, site));
  const auto old = offers->make(site_at(0x1007));
  for (auto wrong : {vmi::TextOffer{old.id, old.va + 1},
                     {old.id + 1, old.va},
                     {old.id + Offers::most, old.va},
                     {0, old.va},
                     {~0ull, old.va}})
    EXPECT_FALSE(offers->take(wrong, site));
  for (std::uint64_t i = 0; i + 1 < Offers::most; ++i) offers->make(site_at(0x1007));
  EXPECT_TRUE(offers->take(old, site));
  const auto older = offers->make(site_at(0x1007));
  for (std::uint64_t i = 0; i < Offers::most; ++i) offers->make(site_at(0x1007));
  EXPECT_FALSE(offers->take(older, site));
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
