// AddressSpace: demand paging, the stack, and fork with copy on write.
#include <random>

#include "tests/unit/guest/address_space_fixture.h"

namespace guest_test {
namespace {

// -- Demand paging.

TEST_F(AddressSpaceTest, NothingMappedIsMaperr) {
  EXPECT_EQ(load_error(somewhere), static_cast<int>(Errno::fault));
  EXPECT_EQ(load_error(0), static_cast<int>(Errno::fault));
  EXPECT_EQ(load_error(vmi::user_end), static_cast<int>(Errno::fault));
  EXPECT_EQ(load_error(~0ull), static_cast<int>(Errno::fault));
}

TEST_F(AddressSpaceTest, APageThatTheHostLostIsMappedAgain) {
  std::uint64_t va = map(1);
  platform_.store(va, 7);
  platform_.mappings.erase(va);
  EXPECT_EQ(platform_.load(va), 7);
  EXPECT_EQ(platform_.shared_info.counters.faults_remapped, 1u);
  EXPECT_EQ(platform_.shared_info.counters.faults_anonymous, 1u);
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

TEST_F(AddressSpaceTest, SparseTouchesOfALargeRegionTakeNoMore) {
  std::uint64_t va = map_at(somewhere, 64 * 64);
  const std::uint32_t free = guest::frames_free().number;
  for (std::uint64_t chunk = 0; chunk < 64; ++chunk)
    platform_.store(va + (64 * chunk + 7 * chunk % 64) * page, 1);
  EXPECT_EQ(free - guest::frames_free().number, 64u);
}

TEST_F(AddressSpaceTest, EachFaultInAChunkReachesFarther) {
  std::uint64_t va = map_at(somewhere, 64 * 64);
  for (std::uint64_t i : {3, 40, 20}) platform_.store(va + i * page, 1);
  ASSERT_EQ(platform_.calls.size(), 3u);
  EXPECT_EQ(platform_.calls[0].pages, 1u);
  EXPECT_EQ(platform_.calls[1].va, va + 32 * page);
  EXPECT_EQ(platform_.calls[1].pages, 16u);
  EXPECT_EQ(platform_.calls[2].va, va + 4 * page);  // all that was missing around it
  EXPECT_EQ(platform_.calls[2].pages, 28u);
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
  EXPECT_EQ(guest::frames_free().number, 0u);
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

TEST_F(AddressSpaceTest, APageThatTheHostRefusesIsMappedLater) {
  std::uint64_t va = map(16);
  platform_.mapping_calls_left = 0;
  EXPECT_EQ(store_error(va), static_cast<int>(Errno::nomem));
  EXPECT_TRUE(platform_.mappings.empty());
  platform_.mapping_calls_left = -1;
  EXPECT_EQ(store_error(va), 0);
}

TEST_F(AddressSpaceTest, HeapExhaustionLeavesNoTrace) {
  std::uint64_t va = map(16);
  platform_.heap_allocations_left = 0;
  EXPECT_EQ(store_error(va), static_cast<int>(Errno::nomem));
  EXPECT_EQ(guest::frames_free().number, frames_);
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

// -- Fork.

TEST_F(AddressSpaceTest, ForkSharesUntilWritten) {
  std::uint64_t va = map_at(somewhere, 16);
  for (int i = 0; i < 16; ++i) platform_.store(va + i * page, static_cast<std::uint8_t>(i));
  std::uint32_t before = guest::frames_free().number;
  fork();
  EXPECT_EQ(guest::frames_free().number, before);
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
  std::uint32_t before = guest::frames_free().number;
  for (int i = 0; i < 16; ++i) platform_.store(va + i * page, 2);
  EXPECT_EQ(platform_.calls.size(), 1u);
  EXPECT_EQ(platform_.calls[0].kind, MappingCall::protect);
  EXPECT_EQ(platform_.calls[0].pages, 16u);
  EXPECT_EQ(guest::frames_free().number, before);
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
  EXPECT_EQ(guest::frames_free().number, frames_ - 16);
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
  std::uint32_t before = guest::frames_free().number;
  space_.reset();
  EXPECT_EQ(guest::frames_free().number, before) << "its frames are still mapped";
  other->activate();
  EXPECT_EQ(guest::frames_free().number, frames_);
  space_ = other;
}

}  // namespace
}  // namespace guest_test
