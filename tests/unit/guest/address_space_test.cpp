// AddressSpace: faults, sharing, fork, and the mapping calls, against a page table that a fake
// monitor keeps. Every test ends with all frames free again.
#include "guest/mm/address_space.h"

#include <gtest/gtest.h>

#include <random>

#include "guest/mm/user.h"
#include "tests/unit/guest/fake_platform.h"
#include "tests/unit/guest/memory_file.h"

namespace {

using guest::AddressSpace;
using guest::Errno;
using guest::MapRequest;
using guest::Ref;
using guest_test::FakePlatform;
using guest_test::FaultFailed;
using guest_test::MappingCall;
using guest_test::MemoryFile;

constexpr std::uint64_t page = vmi::page_size;
constexpr std::uint32_t read_write = vmi::prot_read | vmi::prot_write;
constexpr std::uint64_t somewhere = 0x10'0000'0000;

class AddressSpaceTest : public ::testing::Test {
 protected:
  AddressSpaceTest() : frames_(guest::frames_free()), space_(AddressSpace::create().release()) {
    space_->activate();
  }
  void TearDown() override {
    check(*space_);
    space_.reset();
    child_.reset();
    AddressSpace::deactivate();
    EXPECT_EQ(guest::frames_free(), frames_);
    EXPECT_TRUE(platform_.spaces.empty());
  }

  std::uint64_t map(std::uint64_t pages, std::uint32_t protection = read_write,
                    bool shared = false) {
    return space_->map({.bytes = pages * page, .protection = protection, .shared = shared})
        .release();
  }
  std::uint64_t map_at(std::uint64_t va, std::uint64_t pages,
                       std::uint32_t protection = read_write) {
    return space_
        ->map({.address = va,
               .bytes = pages * page,
               .protection = protection,
               .placement = MapRequest::fixed})
        .release();
  }
  int load_error(std::uint64_t va) {
    try {
      platform_.load(va);
    } catch (const FaultFailed& failed) {
      return failed.error;
    }
    return 0;
  }
  int store_error(std::uint64_t va) {
    try {
      platform_.store(va, 1);
    } catch (const FaultFailed& failed) {
      return failed.error;
    }
    return 0;
  }
  std::size_t count(MappingCall::Kind kind) {
    return static_cast<std::size_t>(
        std::count_if(platform_.calls.begin(), platform_.calls.end(),
                      [&](const MappingCall& call) { return call.kind == kind; }));
  }
  void fork() {
    child_ = space_->fork().release();
    check(*child_);
  }

  /// The extents of a space are sane; those of the current one are what the monitor has.
  void check(const AddressSpace& space) {
    std::map<std::uint64_t, FakePlatform::Mapping> expected;
    std::uint64_t end = 0;
    std::size_t extents = 0;
    for (auto* run = space.extents().first(); run; run = run->following(), ++extents) {
      ASSERT_GE(run->va, end);
      end = run->end();
      const guest::Region* region = space.regions().find(run->va);
      ASSERT_NE(region, nullptr);
      ASSERT_LE(end, region->end) << "an extent crosses a region's boundary";
      for (std::uint32_t i = 0; i < run->pages; ++i) {
        ASSERT_GT(guest::frame_references(run->frame + i), 0u);
        expected[run->va + i * page] = {run->frame + i, run->protection};
      }
    }
    EXPECT_EQ(extents, space.extents().size());
    if (&space != AddressSpace::current()) return;
    ASSERT_EQ(expected.size(), platform_.mappings.size());
    for (const auto& [va, mapping] : expected) {
      ASSERT_EQ(platform_.mappings.at(va).frame, mapping.frame);
      ASSERT_EQ(platform_.mappings.at(va).protection, mapping.protection);
    }
  }

  FakePlatform platform_;
  std::uint32_t frames_;
  Ref<AddressSpace> space_, child_;
};

// -- Demand paging.

TEST_F(AddressSpaceTest, NothingMappedIsMaperr) {
  EXPECT_EQ(load_error(somewhere), static_cast<int>(Errno::fault));
  EXPECT_EQ(load_error(0), static_cast<int>(Errno::fault));
  EXPECT_EQ(load_error(vmi::user_end), static_cast<int>(Errno::fault));
  EXPECT_EQ(load_error(~0ull), static_cast<int>(Errno::fault));
}

TEST_F(AddressSpaceTest, ProtectionIsAccerr) {
  std::uint64_t va = map(4, vmi::prot_read);
  EXPECT_EQ(platform_.load(va), 0);
  EXPECT_EQ(store_error(va), static_cast<int>(Errno::acces));
  EXPECT_EQ(load_error(map(1, vmi::prot_none)), static_cast<int>(Errno::acces));
  EXPECT_EQ(space_->fault(va, vmi::fault_exec | vmi::fault_user).error(), Errno::acces);
}

TEST_F(AddressSpaceTest, FaultsPopulateAround) {
  std::uint64_t va = map_at(somewhere, 64);
  platform_.store(va + 20 * page, 7);
  EXPECT_EQ(platform_.calls.size(), 1u);
  EXPECT_EQ(platform_.calls[0].va, va + 16 * page);
  EXPECT_EQ(platform_.calls[0].pages, 16u);
  EXPECT_EQ(platform_.load(va + 20 * page), 7);
  EXPECT_EQ(platform_.load(va + 31 * page), 0);
  EXPECT_EQ(platform_.calls.size(), 1u);
}

TEST_F(AddressSpaceTest, PopulationStaysInRegionAndGap) {
  map_at(somewhere + 5 * page, 4);
  map_at(somewhere + 9 * page, 1, vmi::prot_read);
  platform_.store(somewhere + 6 * page, 1);
  EXPECT_EQ(platform_.calls[0].va, somewhere + 5 * page);
  EXPECT_EQ(platform_.calls[0].pages, 4u);
}

TEST_F(AddressSpaceTest, WalkingThroughMemoryTakesLongerStrides) {
  std::uint64_t va = map_at(somewhere, 1024);
  for (std::uint64_t i = 0; i < 1024; ++i) platform_.store(va + i * page, 1);
  EXPECT_LE(platform_.calls.size(), 4u + 15u);
  EXPECT_EQ(space_->extents().size(), 1u);
}

TEST_F(AddressSpaceTest, RandomTouchesMakeFewExtents) {
  std::uint64_t va = map_at(somewhere, 2048);
  std::mt19937 random(1);
  for (int i = 0; i < 4000; ++i) platform_.store(va + random() % 2048 * page, 1);
  EXPECT_LE(space_->extents().size(), 2048u / 64u);
}

TEST_F(AddressSpaceTest, ReusedFramesAreZeroed) {
  std::uint64_t va = map(16);
  for (std::uint64_t i = 0; i < 16; ++i) platform_.store(va + i * page, 0xaa);
  EXPECT_FALSE(platform_.calls[0].flags & vmi::map_zero);  // fresh: the host's zeroes
  ASSERT_TRUE(space_->unmap(va, 16 * page).ok());
  std::uint64_t again = map(16);
  for (std::uint64_t i = 0; i < 16; ++i) EXPECT_EQ(platform_.load(again + i * page), 0);
  std::uint64_t constant = map(1, vmi::prot_read);
  EXPECT_EQ(platform_.load(constant), 0);
}

TEST_F(AddressSpaceTest, MemoryRunsOutAsError) {
  std::uint64_t va =
      space_->map({.bytes = 1ull << 40, .protection = read_write, .reserve_nothing = true})
          .release();
  int error = 0;
  for (std::uint64_t i = 0; i < 5000 && !error; ++i) error = store_error(va + i * page);
  EXPECT_EQ(error, static_cast<int>(Errno::nomem));
  EXPECT_EQ(guest::frames_free(), 0u);
}

TEST_F(AddressSpaceTest, AbsurdSizesAreRefused) {
  EXPECT_EQ(space_->map({.bytes = 1ull << 40, .protection = read_write}).error(), Errno::nomem);
  EXPECT_EQ(space_->map({.bytes = ~0ull}).error(), Errno::nomem);
  EXPECT_EQ(space_->map({.bytes = 0}).error(), Errno::inval);
  EXPECT_EQ(space_->map({.address = vmi::user_end, .bytes = page, .placement = MapRequest::fixed})
                .error(),
            Errno::nomem);
  EXPECT_EQ(space_->map({.address = 0, .bytes = page, .placement = MapRequest::fixed}).error(),
            Errno::perm);
}

TEST_F(AddressSpaceTest, HostRefusalLeavesNoTrace) {
  std::uint64_t va = map(16);
  platform_.mapping_calls_left = 0;
  EXPECT_EQ(store_error(va), static_cast<int>(Errno::nomem));
  platform_.mapping_calls_left = -1;
  EXPECT_EQ(guest::frames_free(), frames_);
  EXPECT_EQ(store_error(va), 0);
}

TEST_F(AddressSpaceTest, HeapExhaustionLeavesNoTrace) {
  std::uint64_t va = map(16);
  platform_.heap_allocations_left = 0;
  EXPECT_EQ(store_error(va), static_cast<int>(Errno::nomem));
  EXPECT_EQ(guest::frames_free(), frames_);
  EXPECT_TRUE(platform_.mappings.empty());
  platform_.heap_allocations_left = -1;
}

// -- The stack.

TEST_F(AddressSpaceTest, StackGrowsToItsLimit) {
  ASSERT_TRUE(space_->map_stack().ok());
  platform_.store(guest::stack_top - 1, 1);
  platform_.store(guest::stack_top - guest::stack_limit / 2, 1);
  platform_.store(guest::stack_top - guest::stack_limit, 1);
  EXPECT_EQ(store_error(guest::stack_top - guest::stack_limit - 1), static_cast<int>(Errno::fault));
}

TEST_F(AddressSpaceTest, StackKeepsItsDistance) {
  ASSERT_TRUE(space_->map_stack().ok());
  std::uint64_t neighbour = guest::stack_top - (4ull << 20);
  map_at(neighbour - page, 1);
  EXPECT_EQ(store_error(neighbour + guest::stack_gap - 1), static_cast<int>(Errno::fault));
  EXPECT_EQ(store_error(neighbour + guest::stack_gap), 0);
}

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

TEST_F(AddressSpaceTest, RefusedUnmapKeepsFrames) {
  std::uint64_t va = map(16);
  platform_.store(va, 9);
  platform_.mapping_calls_left = 0;
  EXPECT_EQ(space_->unmap(va, 16 * page).error(), Errno::nomem);
  platform_.mapping_calls_left = -1;
  EXPECT_EQ(platform_.load(va), 9);
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

// -- Fork.

TEST_F(AddressSpaceTest, ForkSharesUntilWritten) {
  std::uint64_t va = map_at(somewhere, 16);
  for (int i = 0; i < 16; ++i) platform_.store(va + i * page, static_cast<std::uint8_t>(i));
  std::uint32_t before = guest::frames_free();
  fork();
  EXPECT_EQ(guest::frames_free(), before);
  check(*space_);
  platform_.store(va + 3 * page, 100);
  child_->activate();
  EXPECT_EQ(platform_.load(va + 3 * page), 3);
  platform_.store(va + 8 * page, 200);
  space_->activate();
  EXPECT_EQ(platform_.load(va + 8 * page), 8);
  EXPECT_EQ(platform_.load(va + 3 * page), 100);
  EXPECT_GT(platform_.shared_info.counters.cow_breaks, 0u);
}

TEST_F(AddressSpaceTest, LastOwnerTakesBackWholeRun) {
  std::uint64_t va = map_at(somewhere, 16);
  platform_.store(va, 1);
  fork();
  child_.reset();
  platform_.calls.clear();
  std::uint32_t before = guest::frames_free();
  for (int i = 0; i < 16; ++i) platform_.store(va + i * page, 2);
  EXPECT_EQ(platform_.calls.size(), 1u);
  EXPECT_EQ(platform_.calls[0].kind, MappingCall::protect);
  EXPECT_EQ(platform_.calls[0].pages, 16u);
  EXPECT_EQ(guest::frames_free(), before);
  EXPECT_EQ(space_->extents().size(), 1u);
}

TEST_F(AddressSpaceTest, WritingInOrderAfterForkCopiesInRuns) {
  std::uint64_t va = map_at(somewhere, 64);
  for (int i = 0; i < 64; ++i) platform_.store(va + i * page, static_cast<std::uint8_t>(i));
  fork();
  platform_.calls.clear();
  for (int i = 0; i < 64; ++i) platform_.store(va + i * page, 0xff);
  EXPECT_LE(platform_.calls.size(), 8u);
  EXPECT_EQ(space_->extents().size(), 1u) << "copies are neighbours again";
  child_->activate();
  for (int i = 0; i < 64; ++i) EXPECT_EQ(platform_.load(va + i * page), i);
}

TEST_F(AddressSpaceTest, TopOfStackIsCopiedAtFork) {
  ASSERT_TRUE(space_->map_stack().ok());
  std::uint64_t sp = guest::stack_top - 5 * page + 2048;
  platform_.store(sp, 42);
  vmi::TrapFrame frame{};
  frame.rsp = sp;
  platform_.shared_info.current_frame = &frame;
  fork();
  platform_.calls.clear();
  platform_.store(sp, 43);
  EXPECT_TRUE(platform_.calls.empty()) << "the parent goes on writing";
  child_->activate();
  EXPECT_EQ(platform_.load(sp), 42);
  platform_.calls.clear();
  platform_.store(sp, 44);
  EXPECT_TRUE(platform_.calls.empty()) << "so does the child";
  space_->activate();
  EXPECT_EQ(platform_.load(sp), 43);
}

TEST_F(AddressSpaceTest, SharedMemoryStaysShared) {
  std::uint64_t va = map(8, read_write, true);
  platform_.store(va, 1);
  fork();
  platform_.store(va, 2);
  platform_.store(va + 7 * page, 3);
  child_->activate();
  EXPECT_EQ(platform_.load(va), 2);
  EXPECT_EQ(platform_.load(va + 7 * page), 3);
  platform_.store(va + page, 9);
  space_->activate();
  EXPECT_EQ(platform_.load(va + page), 9);
  ASSERT_TRUE(space_->discard(va, page).ok());
  EXPECT_EQ(platform_.load(va), 2);
}

TEST_F(AddressSpaceTest, ForkFailsWithoutLosingFrames) {
  std::uint64_t va = map_at(somewhere, 16);
  map_at(somewhere + 100 * page, 1, vmi::prot_read);
  platform_.store(va, 1);
  for (int allocations = 0; allocations < 4; ++allocations) {
    platform_.heap_allocations_left = allocations;
    auto failed = space_->fork();
    platform_.heap_allocations_left = -1;
    EXPECT_TRUE(failed.ok() || failed.error() == Errno::nomem);
  }
  platform_.creation_of_spaces_fails = true;
  EXPECT_EQ(space_->fork().error(), Errno::again);
  platform_.store(va, 2);
  EXPECT_EQ(guest::frames_free(), frames_ - 16);
}

TEST_F(AddressSpaceTest, GrandchildrenKeepTheirOwn) {
  std::uint64_t va = map_at(somewhere, 4);
  platform_.store(va, 1);
  fork();
  child_->activate();
  platform_.store(va, 2);
  auto grandchild = child_->fork().release();
  platform_.store(va, 3);
  grandchild->activate();
  EXPECT_EQ(platform_.load(va), 2);
  space_->activate();
  EXPECT_EQ(platform_.load(va), 1);
}

TEST_F(AddressSpaceTest, DeadSpaceStaysUntilAnotherIsCurrent) {
  platform_.store(map(1), 1);
  auto other = AddressSpace::create().release();
  std::uint32_t before = guest::frames_free();
  space_.reset();
  EXPECT_EQ(guest::frames_free(), before) << "its frames are still mapped";
  other->activate();
  EXPECT_EQ(guest::frames_free(), frames_);
  space_ = other;
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
               .inode = std::move(file),
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
                         .inode = file,
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
  EXPECT_EQ(guest::frames_free(), frames_ - 8);
  EXPECT_EQ(platform_.load(va + 4 * page), 0);
  EXPECT_EQ(platform_.load(va + 3 * page), 1);
  EXPECT_EQ(space_->discard(somewhere, page).error(), Errno::nomem);
}

// -- User copies.

TEST_F(AddressSpaceTest, CopiesServeTheirFaults) {
  std::uint64_t va = map(40);
  std::vector<std::uint8_t> out(30 * page + 123, 0x5a), in(out.size());
  ASSERT_TRUE(guest::copy_to_user({va + 17}, out.data(), out.size()).ok());
  ASSERT_TRUE(guest::copy_from_user(in.data(), {va + 17}, in.size()).ok());
  EXPECT_EQ(in, out);
  ASSERT_TRUE(guest::zero_user({va + 100}, 3 * page).ok());
  EXPECT_EQ(platform_.load(va + 100), 0);
  EXPECT_EQ(platform_.load(va + 99), 0x5a);
}

TEST_F(AddressSpaceTest, CopiesFailWhereAProgramWould) {
  std::uint64_t va = map(2, vmi::prot_read);
  std::uint64_t word = 1;
  EXPECT_EQ(guest::put_user({va}, word).error(), Errno::fault);
  EXPECT_EQ(guest::copy_from_user(&word, {va + 2 * page - 4}, 8).error(), Errno::fault);
  EXPECT_EQ(guest::copy_from_user(&word, {vmi::window_base}, 8).error(), Errno::fault);
  EXPECT_EQ(guest::copy_from_user(&word, {~0ull - 3}, 8).error(), Errno::fault);
  EXPECT_TRUE(guest::copy_from_user(&word, {0}, 0).ok());
  EXPECT_EQ(guest::get_user<std::uint64_t>({va}).release(), 0u);
}

TEST_F(AddressSpaceTest, StringsEndAtTheirNul) {
  std::uint64_t va = map(1);
  std::string text(300, 'x');
  std::uint64_t at = va + page - 301;  // the NUL is the page's last byte
  ASSERT_TRUE(guest::copy_to_user({at}, text.c_str(), 301).ok());
  EXPECT_EQ(guest::string_from_user({at}).release().view(), text);
  EXPECT_EQ(guest::string_from_user({at}, 300).error(), Errno::nametoolong);
  EXPECT_EQ(guest::string_from_user({at}, 301).release().view(), text);
  platform_.store(va + page - 1, 'y');
  EXPECT_EQ(guest::string_from_user({at}).error(), Errno::fault);
}

TEST_F(AddressSpaceTest, FramesMoveToAndFromUserMemory) {
  std::uint64_t va = map(8);
  vmi::Frame frame = guest::frames_allocate(4).release().first;
  std::memset(platform_.frame(frame), 0x33, 4 * page);
  ASSERT_TRUE(guest::frame_to_user(frame, 10, {va + 5}, 2 * page).ok());
  EXPECT_EQ(platform_.load(va + 5 + 2 * page - 1), 0x33);
  EXPECT_EQ(platform_.load(va + 5 + 2 * page), 0);
  ASSERT_TRUE(guest::user_to_frame(frame, 0, {va + 4 * page}, page).ok());
  EXPECT_EQ(*platform_.frame(frame), 0);
  EXPECT_EQ(guest::frame_to_user(frame, 0, {somewhere}, 1).error(), Errno::fault);
  guest::frame_release(frame, 4);
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
