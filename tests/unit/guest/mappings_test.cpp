// AddressSpace: what mmap and its family ask for, of anonymous memory and of files; and all of it
// in random order against a model.
#include <functional>
#include <random>

#include "tests/unit/guest/address_space_fixture.h"
#include "tests/unit/guest/memory_file.h"

namespace guest_test {
namespace {

// -- brk.

TEST_F(AddressSpaceTest, BreakGrowsAndShrinks) {
  space_->start_brk(somewhere);
  EXPECT_EQ(space_->set_brk(0), somewhere);
  EXPECT_EQ(space_->set_brk(somewhere + 100), somewhere + 100);
  platform_.store(somewhere + page - 1, 5);
  EXPECT_EQ(store_error(somewhere + page), static_cast<int>(Errno::fault));
  EXPECT_EQ(space_->set_brk(somewhere + 10 * page), somewhere + 10 * page);
  EXPECT_EQ(platform_.load(somewhere + page - 1), 5);
  EXPECT_EQ(space_->regions().size(), 1u);
  EXPECT_EQ(space_->set_brk(somewhere), somewhere);
  EXPECT_EQ(load_error(somewhere), static_cast<int>(Errno::fault));
  map_at(somewhere + 4 * page, 1);
  EXPECT_EQ(space_->set_brk(somewhere + 5 * page), somewhere);
}

// -- Unmapping and placement.

TEST_F(AddressSpaceTest, UnmappingAHoleSplits) {
  std::uint64_t va = map_at(somewhere, 16);
  for (int i = 0; i < 16; ++i) platform_.store(va + i * page, static_cast<std::uint8_t>(i + 1));
  ASSERT_TRUE(space_->unmap(va + 4 * page, 4 * page).ok());
  EXPECT_EQ(space_->regions().size(), 2u);
  EXPECT_EQ(platform_.load(va + 3 * page), 4);
  EXPECT_EQ(platform_.load(va + 8 * page), 9);
  for (int i = 4; i < 8; ++i) EXPECT_EQ(load_error(va + i * page), static_cast<int>(Errno::fault));
  check(*space_);
}

TEST_F(AddressSpaceTest, UnmapChecksItsArguments) {
  EXPECT_EQ(space_->unmap(somewhere + 1, page).error(), Errno::inval);
  EXPECT_EQ(space_->unmap(somewhere, 0).error(), Errno::inval);
  EXPECT_EQ(space_->unmap(somewhere, ~0ull).error(), Errno::inval);
  EXPECT_TRUE(space_->unmap(somewhere, 100 * page).ok());
}

TEST_F(AddressSpaceTest, ARefusedUnmapUnmapsEverything) {
  std::uint64_t va = map_at(somewhere, 16);
  platform_.store(va, 9);
  platform_.mapping_calls_left = 0;
  EXPECT_TRUE(space_->unmap(va + page, page).ok());
  EXPECT_TRUE(platform_.mappings.empty());
  platform_.mapping_calls_left = -1;
  EXPECT_EQ(load_error(va + page), static_cast<int>(Errno::fault));
  EXPECT_EQ(platform_.load(va), 9);
  EXPECT_EQ(platform_.load(va + 2 * page), 0);
}

/// More pages than 32 bits count, in one call; sparse, as only address space can be.
TEST_F(AddressSpaceTest, RangesOfMorePagesThan32BitsCount) {
  constexpr std::uint64_t wide = (page << 32) + 64 * page;  // cut to 32 bits: 64 pages
  std::uint32_t move = AddressSpace::remap_may_move | AddressSpace::remap_fixed;
  std::vector<std::function<void()>> calls = {
      [&] { EXPECT_TRUE(space_->unmap(somewhere, wide).ok()); },
      [&] { (void)space_->discard(somewhere, wide); },
      [&] { map_at(somewhere, wide / page, vmi::prot_none); },
      [&] {
        // A mapping of that size, and that it shrinks.
        map_at(somewhere, wide / page, vmi::prot_read);
        platform_.load(somewhere);
        platform_.load(somewhere + wide - page);
        EXPECT_TRUE(space_->protect(somewhere, wide, vmi::prot_none).ok());
        EXPECT_TRUE(space_->protect(somewhere, wide, vmi::prot_read).ok());
        EXPECT_TRUE(space_->remap(somewhere, wide, page, 0, 0).ok());
      },
      [&] {
        map_at(somewhere, wide / page, vmi::prot_read);
        platform_.load(somewhere);
        platform_.load(somewhere + wide - page);
        EXPECT_TRUE(space_->remap(somewhere, wide, wide, move, 2 * wide).ok());
      },
      [&] {
        map_at(3 * wide, 1);
        EXPECT_TRUE(space_->remap(3 * wide, page, wide, move, somewhere).ok());
      },
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(i);
    map_at(somewhere, 1);
    map_at(somewhere + wide - page, 1);
    platform_.store(somewhere, 1);
    platform_.store(somewhere + wide - page, 1);
    calls[i]();
    check(*space_);
    EXPECT_EQ(space_->extents().find(somewhere + wide - page), nullptr);
    ASSERT_TRUE(space_->unmap(vmi::user_begin, vmi::user_end - vmi::user_begin).ok());
    EXPECT_EQ(guest::frames_free().number, frames_);
  }
}

TEST_F(AddressSpaceTest, PlacementGoesTopDownAndReusesGaps) {
  std::uint64_t a = map(4), b = map(4, vmi::prot_read), c = map(4);
  EXPECT_EQ(a, guest::mmap_top - 4 * page);
  EXPECT_EQ(b, a - 4 * page);
  ASSERT_TRUE(space_->unmap(b, 4 * page).ok());
  EXPECT_EQ(map(4, vmi::prot_none), b);
  EXPECT_EQ(map(8, vmi::prot_none), c - 8 * page);
}

TEST_F(AddressSpaceTest, HintsAndFixedPlaces) {
  EXPECT_EQ(space_->map({.address = somewhere, .bytes = page}).release(), somewhere);
  EXPECT_NE(space_->map({.address = somewhere, .bytes = page}).release(), somewhere);
  EXPECT_EQ(
      space_->map({.address = somewhere, .bytes = page, .placement = MapRequest::fixed_no_replace})
          .error(),
      Errno::exist);
  EXPECT_EQ(load_error(somewhere), static_cast<int>(Errno::acces));
  map_at(somewhere, 1);
  EXPECT_EQ(load_error(somewhere), 0);
}

TEST_F(AddressSpaceTest, FixedReplacesWhatWasThere) {
  std::uint64_t va = map_at(somewhere, 8);
  for (int i = 0; i < 8; ++i) platform_.store(va + i * page, 1);
  map_at(va + 2 * page, 2);
  EXPECT_EQ(platform_.load(va + 2 * page), 0);
  EXPECT_EQ(platform_.load(va + 4 * page), 1);
  EXPECT_EQ(space_->regions().size(), 1u);  // alike neighbours are one region
}

// -- Protection.

TEST_F(AddressSpaceTest, ProtectPartially) {
  std::uint64_t va = map_at(somewhere, 16);
  platform_.store(va + 5 * page, 5);
  ASSERT_TRUE(space_->protect(va + 4 * page, 4 * page, vmi::prot_read).ok());
  EXPECT_EQ(space_->regions().size(), 3u);
  EXPECT_EQ(store_error(va + 5 * page), static_cast<int>(Errno::acces));
  EXPECT_EQ(platform_.load(va + 5 * page), 5);
  EXPECT_EQ(store_error(va + 3 * page), 0);
  check(*space_);
  ASSERT_TRUE(space_->protect(va, 16 * page, read_write).ok());
  EXPECT_EQ(space_->regions().size(), 1u);
  std::size_t calls = platform_.calls.size();
  EXPECT_EQ(store_error(va + 5 * page), 0);
  EXPECT_EQ(platform_.calls.size(), calls) << "pages of its own are writable at once";
}

TEST_F(AddressSpaceTest, ProtectNeedsEverythingMapped) {
  std::uint64_t va = map_at(somewhere, 4);
  EXPECT_EQ(space_->protect(va, 5 * page, vmi::prot_read).error(), Errno::nomem);
  EXPECT_EQ(store_error(va), 0);
}

TEST_F(AddressSpaceTest, ProtectDoesNotUnshare) {
  std::uint64_t va = map_at(somewhere, 4);
  platform_.store(va, 1);
  fork();
  ASSERT_TRUE(space_->protect(va, 4 * page, vmi::prot_read).ok());
  ASSERT_TRUE(space_->protect(va, 4 * page, read_write).ok());
  platform_.store(va, 2);
  child_->activate();
  EXPECT_EQ(platform_.load(va), 1);
}

// -- Files.

std::vector<std::uint8_t> pattern(std::size_t bytes) {
  std::vector<std::uint8_t> result(bytes);
  for (std::size_t i = 0; i < bytes; ++i) result[i] = static_cast<std::uint8_t>(i / page + 1);
  return result;
}

class FileMappingTest : public AddressSpaceTest {
 protected:
  std::uint64_t map_file(Ref<guest::Inode> file, std::uint64_t pages, std::uint32_t protection,
                         bool shared, std::uint64_t offset = 0) {
    return space_
        ->map({.bytes = pages * page,
               .protection = protection,
               .shared = shared,
               .backing = std::move(file),
               .offset = offset})
        .release();
  }
};

TEST_F(FileMappingTest, WholeRunIsMappedAtOnce) {
  Ref<MemoryFile> file(new MemoryFile(pattern(100 * page)));
  std::uint64_t va = map_file(file, 100, vmi::prot_read, false);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(platform_.load(va + i * page), i + 1);
  EXPECT_EQ(platform_.calls.size(), 1u);
}

TEST_F(FileMappingTest, ScatteredFilesWorkToo) {
  Ref<MemoryFile> file(new MemoryFile(pattern(20 * page), 1));
  std::uint64_t va = map_file(file, 20, vmi::prot_read, false);
  for (std::uint64_t i = 20; i-- > 0;) EXPECT_EQ(platform_.load(va + i * page), i + 1);
}

TEST_F(FileMappingTest, PrivateWritesStayPrivate) {
  Ref<MemoryFile> file(new MemoryFile(pattern(8 * page)));
  std::uint64_t va = map_file(file, 8, read_write, false);
  platform_.store(va + 2 * page, 99);
  EXPECT_EQ(platform_.load(va + 2 * page), 99);
  EXPECT_EQ(*platform_.frame(file->frame_of(2)), 3);
  ASSERT_TRUE(space_->discard(va, 8 * page).ok());
  EXPECT_EQ(platform_.load(va + 2 * page), 3);
}

TEST_F(FileMappingTest, SharedWritesReachTheFile) {
  Ref<MemoryFile> file(new MemoryFile(pattern(8 * page)));
  std::uint64_t va = map_file(file, 4, read_write, true, 4 * page);
  platform_.store(va, 99);
  EXPECT_EQ(*platform_.frame(file->frame_of(4)), 99);
}

TEST_F(FileMappingTest, BeyondTheEndIsSigbus) {
  Ref<MemoryFile> file(new MemoryFile(pattern(page + 10)));
  std::uint64_t va = map_file(file, 4, read_write, false);
  EXPECT_EQ(platform_.load(va + page + 100), 0);
  EXPECT_EQ(load_error(va + 2 * page), static_cast<int>(Errno::io));
  EXPECT_EQ(load_error(map_file(file, 4, read_write, false, 8 * page)),
            static_cast<int>(Errno::io));
}

TEST_F(FileMappingTest, ReadOnlyFilesCannotBecomeWritable) {
  Ref<MemoryFile> file(new MemoryFile(pattern(page)));
  auto va = space_->map({.bytes = page,
                         .protection = vmi::prot_read,
                         .shared = true,
                         .backing = file,
                         .may_write = false});
  ASSERT_TRUE(va.ok());
  EXPECT_EQ(space_->protect(va.value(), page, read_write).error(), Errno::acces);
}

TEST_F(FileMappingTest, SplitMappingsKeepTheirOffsets) {
  Ref<MemoryFile> file(new MemoryFile(pattern(8 * page)));
  std::uint64_t va = map_file(file, 8, vmi::prot_read, false);
  ASSERT_TRUE(space_->unmap(va + 2 * page, page).ok());
  ASSERT_TRUE(space_->protect(va + 5 * page, page, read_write).ok());
  EXPECT_EQ(platform_.load(va + 7 * page), 8);
  EXPECT_EQ(platform_.load(va + page), 2);
  platform_.store(va + 5 * page, 77);
  EXPECT_EQ(*platform_.frame(file->frame_of(5)), 6);
}

// -- mremap, madvise.

TEST_F(AddressSpaceTest, RemapGrowsInPlaceOrMoves) {
  std::uint64_t va = map_at(somewhere, 4);
  for (int i = 0; i < 4; ++i) platform_.store(va + i * page, static_cast<std::uint8_t>(i + 1));
  EXPECT_EQ(space_->remap(va, 4 * page, 8 * page, 0, 0).release(), va);
  platform_.store(va + 7 * page, 8);
  map_at(va + 8 * page, 1, vmi::prot_read);
  EXPECT_EQ(space_->remap(va, 8 * page, 9 * page, 0, 0).error(), Errno::nomem);
  auto moved = space_->remap(va, 8 * page, 16 * page, AddressSpace::remap_may_move, 0);
  ASSERT_TRUE(moved.ok());
  EXPECT_NE(moved.value(), va);
  EXPECT_EQ(load_error(va), static_cast<int>(Errno::fault));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(platform_.load(moved.value() + i * page), i + 1);
  EXPECT_EQ(platform_.load(moved.value() + 15 * page), 0);
  check(*space_);
}

TEST_F(AddressSpaceTest, RemapShrinksAndMovesToFixedPlaces) {
  std::uint64_t va = map_at(somewhere, 8), target = somewhere + 100 * page;
  platform_.store(va + page, 2);
  EXPECT_EQ(space_->remap(va, 8 * page, 2 * page, 0, 0).release(), va);
  EXPECT_EQ(load_error(va + 2 * page), static_cast<int>(Errno::fault));
  std::uint32_t flags = AddressSpace::remap_may_move | AddressSpace::remap_fixed;
  EXPECT_EQ(space_->remap(va, 2 * page, 2 * page, flags, target).release(), target);
  EXPECT_EQ(platform_.load(target + page), 2);
  EXPECT_EQ(space_->remap(target, 2 * page, 2 * page, flags, target + page).error(), Errno::inval);
  EXPECT_EQ(space_->remap(va, page, page, 0, 0).error(), Errno::fault);
}

TEST_F(AddressSpaceTest, DiscardReallyZeroes) {
  std::uint64_t va = map(16);
  for (int i = 0; i < 16; ++i) platform_.store(va + i * page, 1);
  ASSERT_TRUE(space_->discard(va + 4 * page, 8 * page).ok());
  EXPECT_EQ(guest::frames_free().number, frames_ - 8);
  EXPECT_EQ(platform_.load(va + 4 * page), 0);
  EXPECT_EQ(platform_.load(va + 3 * page), 1);
  EXPECT_EQ(space_->discard(somewhere, page).error(), Errno::nomem);
}

// -- All together, against a model.

TEST_F(AddressSpaceTest, RandomCallsAgreeWithAModel) {
  constexpr std::uint64_t pages = 96;
  struct Model {
    bool mapped = false;
    std::uint32_t protection = 0;
    std::uint8_t value = 0;
  };
  std::vector<Model> model(pages);
  std::mt19937 random(7);
  auto va = [](std::uint64_t index) { return somewhere + index * page; };
  for (int step = 0; step < 6000; ++step) {
    std::uint64_t first = random() % pages;
    std::uint64_t count = 1 + random() % std::min<std::uint64_t>(12, pages - first);
    std::uint32_t protection = random() % 3 ? read_write : vmi::prot_read;
    switch (random() % 8) {
      case 0:
        map_at(va(first), count, protection);
        for (auto i = first; i < first + count; ++i) model[i] = {true, protection, 0};
        break;
      case 1:
        ASSERT_TRUE(space_->unmap(va(first), count * page).ok());
        for (auto i = first; i < first + count; ++i) model[i] = {};
        break;
      case 2: {
        bool whole = true;
        for (auto i = first; i < first + count; ++i) whole &= model[i].mapped;
        EXPECT_EQ(space_->protect(va(first), count * page, protection).ok(), whole);
        for (auto i = first; whole && i < first + count; ++i) model[i].protection = protection;
        break;
      }
      case 3:
        (void)space_->discard(va(first), count * page);
        for (auto i = first; i < first + count; ++i) model[i].value = 0;
        break;
      case 4:
        if (random() % 8 == 0) {
          fork();  // the one before dies
        }
        break;
      default: {
        auto value = static_cast<std::uint8_t>(random());
        int error = 0;
        try {
          platform_.store(va(first), value);
        } catch (const FaultFailed& failed) {
          error = failed.error;
        }
        Model& entry = model[first];
        int expected = !entry.mapped                           ? static_cast<int>(Errno::fault)
                       : !(entry.protection & vmi::prot_write) ? static_cast<int>(Errno::acces)
                                                               : 0;
        ASSERT_EQ(error, expected) << step;
        if (!error) entry.value = value;
      }
    }
    std::uint64_t probe = random() % pages;
    if (model[probe].mapped) {
      ASSERT_EQ(platform_.load(va(probe)), model[probe].value) << step;
    }
    if (step % 100 == 0) check(*space_);
  }
}

}  // namespace
}  // namespace guest_test
