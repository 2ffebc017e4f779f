// FileMappings: what becomes of mappings when a file becomes shorter, in the current space and in
// others, and when the monitor fails on the way.
#include "guest/heap/make.h"
#include "tests/unit/guest/address_space_fixture.h"
#include "tests/unit/guest/memory_file.h"

namespace guest_test {
namespace {

class FileMappingsTest : public AddressSpaceTest {
 protected:
  FileMappingsTest() {
    file_ = guest::make_ref<MemoryFile>(std::vector<std::uint8_t>(8 * page, 7)).release();
    shared_ = map_file(somewhere, true);
    own_ = map_file(somewhere + 100 * page, false);
    for (std::uint64_t i = 0; i < 8; ++i) {
      platform_.load(shared_ + i * page);
      platform_.store(own_ + i * page, 9);
    }
  }
  void TearDown() override {
    file_ = {};
    AddressSpaceTest::TearDown();
  }

  std::uint64_t map_file(std::uint64_t va, bool shared) {
    return space_
        ->map({.address = va,
               .bytes = 8 * page,
               .protection = read_write,
               .shared = shared,
               .placement = MapRequest::fixed,
               .backing = guest::Ref<guest::Inode>(file_.get())})
        .release();
  }
  static bool is_mapped(const AddressSpace& space, std::uint64_t va) {
    return space.extents().find(va) != nullptr;
  }
  /// How many of the pages are mapped, of both mappings, in the current space.
  [[nodiscard]] int mapped() const {
    int pages = 0;
    for (std::uint64_t i = 0; i < 8; ++i)
      for (std::uint64_t va : {shared_, own_})
        pages += is_mapped(*AddressSpace::current(), va + i * page) ? 1 : 0;
    return pages;
  }

  Ref<MemoryFile> file_;
  std::uint64_t shared_ = 0, own_ = 0;
};

TEST_F(FileMappingsTest, TheCurrentSpaceIsCutAtOnce) {
  ASSERT_TRUE(file_->mappings.cut(3 * page + 1).ok());
  EXPECT_EQ(mapped(), 8);
  EXPECT_TRUE(is_mapped(*space_, own_ + 3 * page));
  check(*space_);
  ASSERT_TRUE(file_->mappings.cut(0).ok());
  EXPECT_EQ(mapped(), 0);
  check(*space_);
}

TEST_F(FileMappingsTest, EveryPieceOfAMappingIsCut) {
  ASSERT_TRUE(space_->protect(shared_ + 5 * page, page, vmi::prot_read).ok());
  ASSERT_TRUE(space_->unmap(shared_ + 2 * page, page).ok());
  ASSERT_TRUE(space_
                  ->remap(own_, 8 * page, 8 * page,
                          AddressSpace::remap_may_move | AddressSpace::remap_fixed,
                          own_ + 50 * page)
                  .ok());
  own_ += 50 * page;
  ASSERT_TRUE(file_->mappings.cut(page).ok());
  EXPECT_EQ(mapped(), 2);
  check(*space_);
}

TEST_F(FileMappingsTest, AnotherSpaceIsCutBeforeItRunsAndHoldsItsFramesUntilThen) {
  fork();
  const vmi::Frame frame = file_->frame_of(6);
  const std::uint32_t references = guest::frame_references(frame);
  ASSERT_TRUE(file_->mappings.cut(5 * page).ok());
  ASSERT_TRUE(file_->mappings.cut(6 * page).ok());  // grown meanwhile: the lowest counts
  EXPECT_EQ(guest::frame_references(frame), references - 1);
  EXPECT_TRUE(is_mapped(*child_, shared_ + 6 * page));
  EXPECT_FALSE(child_->intact());
  child_->activate();
  EXPECT_TRUE(child_->intact());
  EXPECT_EQ(mapped(), 10);
  check(*child_);
  EXPECT_EQ(guest::frame_references(frame), references - 2);
}

TEST_F(FileMappingsTest, ASpaceThatNeverRunsAgainLeavesNothingBehind) {
  fork();
  ASSERT_TRUE(file_->mappings.cut(0).ok());
  child_.reset();
  ASSERT_TRUE(file_->mappings.cut(0).ok());
}

TEST_F(FileMappingsTest, WithoutMemoryNothingChanges) {
  fork();
  platform_.heap_allocations_left = 0;
  EXPECT_EQ(file_->mappings.cut(page).error(), Errno::nomem);
  platform_.heap_allocations_left = -1;
  EXPECT_EQ(mapped(), 16);
  EXPECT_TRUE(child_->intact());
  check(*space_);
}

TEST_F(FileMappingsTest, AHostThatRefusesLosesMappingsAndNotTheCut) {
  fork();
  platform_.mapping_calls_left = 0;
  platform_.failure_lasts = false;
  EXPECT_TRUE(file_->mappings.cut(page).ok());
  EXPECT_GT(platform_.failures, 0);
  EXPECT_EQ(mapped(), 2);
  EXPECT_FALSE(child_->intact());
  EXPECT_EQ(Invariants::broken({space_.get(), child_.get()}), "");
  for (std::uint64_t va : {shared_, own_}) EXPECT_EQ(load_error(va), 0);  // maps it again
}

TEST_F(FileMappingsTest, ASpaceThatCannotBeCutIsNotIntactUntilItIs) {
  fork();
  ASSERT_TRUE(file_->mappings.cut(page).ok());
  platform_.heap_allocations_left = 0;
  child_->activate();
  platform_.heap_allocations_left = -1;
  EXPECT_FALSE(child_->intact());
  EXPECT_EQ(mapped(), 16);  // and none of its frames is anybody else's
  check(*child_);
  space_->activate();
  child_->activate();
  EXPECT_TRUE(child_->intact());
  EXPECT_EQ(mapped(), 2);
  check(*child_);
}

}  // namespace
}  // namespace guest_test
