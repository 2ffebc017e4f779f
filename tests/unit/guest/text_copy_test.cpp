// AddressSpace::own_text and TextCopies: which pages a monitor may rewrite, who sees them, and when
// they go.
#include "guest/heap/make.h"
#include "tests/unit/guest/address_space_fixture.h"
#include "tests/unit/guest/memory_file.h"

namespace guest_test {
namespace {

using guest::Frame;

constexpr std::uint32_t text = vmi::prot_read | vmi::prot_exec;

class TextCopyTest : public AddressSpaceTest {
 protected:
  TextCopyTest() {
    std::vector<std::uint8_t> bytes(16 * page);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(i / page + 1);
    file_ = guest::make_ref<MemoryFile>(bytes).release();
  }
  void TearDown() override {
    file_ = {};  // what maps it keeps it
    AddressSpaceTest::TearDown();
  }

  std::uint64_t map_file(std::uint64_t va, std::uint64_t offset = 0, std::uint64_t pages = 16,
                         std::uint32_t protection = text, bool shared = false) {
    return AddressSpace::current()
        ->map({.address = va,
               .bytes = pages * page,
               .protection = protection,
               .shared = shared,
               .placement = MapRequest::fixed,
               .backing = guest::Ref<guest::Inode>(file_.get()),
               .offset = offset})
        .release();
  }
  Errno refusal(std::uint64_t va) {
    auto frame = AddressSpace::current()->own_text(va);
    return frame.ok() ? Errno{} : frame.error();
  }

  Ref<MemoryFile> file_;
};

TEST_F(TextCopyTest, APageOfTextGetsACopyAndTheFileStaysAsItIs) {
  const std::uint64_t va = map_file(somewhere);
  EXPECT_EQ(platform_.load(va + 3 * page), 4);
  const Frame frame = space_->own_text(va + 3 * page + 100).release();
  EXPECT_NE(frame, file_->frame_of(3));
  platform_.frame(frame)[100] = 99;
  EXPECT_EQ(platform_.load(va + 3 * page + 100), 99);
  EXPECT_EQ(platform_.load(va + 3 * page + 101), 4);
  EXPECT_EQ(platform_.frame(file_->frame_of(3))[100], 4);
  EXPECT_EQ(space_->own_text(va + 3 * page).release(), frame);
  check(*space_);
}

TEST_F(TextCopyTest, AllAreRestoredAtTheirAddresses) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va + 3 * page);
  const Frame frame = space_->own_text(va + 3 * page).release();
  guest::TextCopy::restore_all();
  int times = 0;
  for (const auto& restored : platform_.restored_text)
    if (frame >= restored.frame && frame < restored.frame + restored.pages) {
      EXPECT_EQ(restored.va + (frame - restored.frame) * page, va + 3 * page);
      ++times;
    }
  EXPECT_EQ(times, 1);
}

TEST_F(TextCopyTest, OtherProcessesFindIt) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va);
  const Frame frame = space_->own_text(va).release();
  Ref<AddressSpace> other = AddressSpace::create().release();
  other->activate();
  map_file(somewhere);
  EXPECT_EQ(platform_.load(va), 1);
  EXPECT_EQ(platform_.mappings.at(va).frame, frame);
  EXPECT_EQ(other->own_text(va).release(), frame);
  // But not elsewhere: code is rewritten for its address.
  map_file(somewhere + 64 * page);
  EXPECT_EQ(platform_.load(va + 64 * page), 1);
  EXPECT_EQ(platform_.mappings.at(va + 64 * page).frame, file_->frame_of(0));
  EXPECT_NE(other->own_text(va + 64 * page).release(), frame);
  space_->activate();
  other.reset();
}

TEST_F(TextCopyTest, OneThatHadTheFilesPageGetsTheCopyWhenItAsks) {
  const std::uint64_t va = map_file(somewhere);
  Ref<AddressSpace> other = AddressSpace::create().release();
  other->activate();
  map_file(somewhere);
  EXPECT_EQ(platform_.load(va), 1);
  space_->activate();
  EXPECT_EQ(platform_.load(va), 1);
  const Frame frame = space_->own_text(va).release();
  other->activate();
  EXPECT_EQ(platform_.mappings.at(va).frame, file_->frame_of(0));
  EXPECT_EQ(other->own_text(va + 5).release(), frame);
  space_->activate();
  other.reset();
}

TEST_F(TextCopyTest, ForkSharesIt) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va);
  const Frame frame = space_->own_text(va).release();
  fork();
  child_->activate();
  EXPECT_EQ(platform_.load(va), 1);
  EXPECT_EQ(platform_.mappings.at(va).frame, frame);
  space_->activate();
}

TEST_F(TextCopyTest, OnlyTextIsGiven) {
  const std::uint64_t writable = map_file(somewhere, 0, 4, text | vmi::prot_write);
  const std::uint64_t data = map_file(somewhere + 16 * page, 0, 4, vmi::prot_read);
  const std::uint64_t shared = map_file(somewhere + 32 * page, 0, 4, text, true);
  const std::uint64_t anonymous = map_at(somewhere + 48 * page, 4, text);
  for (std::uint64_t va : {writable, data, shared, anonymous}) {
    platform_.load(va);
    EXPECT_EQ(refusal(va), Errno::acces) << va;
  }
  EXPECT_EQ(refusal(somewhere + 60 * page), Errno::acces);
  const std::uint64_t untouched = map_file(somewhere + 64 * page);
  EXPECT_EQ(refusal(untouched), Errno::fault);
}

TEST_F(TextCopyTest, APageTheProcessHasWrittenIsItsOwn) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va);
  auto write = [&](std::uint64_t at) {
    ASSERT_TRUE(space_->protect(at, page, text | vmi::prot_write).ok());
    platform_.store(at, 77);
    ASSERT_TRUE(space_->protect(at, page, text).ok());
  };
  write(va + 2 * page);
  EXPECT_EQ(refusal(va + 2 * page), Errno::acces);
  // Likewise where others have a copy by now, and where it had one itself.
  ASSERT_TRUE(space_->own_text(va + 6 * page).ok());
  write(va + 6 * page);
  EXPECT_EQ(refusal(va + 6 * page), Errno::acces);
  EXPECT_EQ(platform_.load(va + 6 * page), 77);
  EXPECT_EQ(platform_.load(va + 2 * page), 77);
  check(*space_);
}

TEST_F(TextCopyTest, AFileThatHasChangedLosesItsCopies) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va);
  ASSERT_TRUE(space_->own_text(va).ok());
  Ref<AddressSpace> other = AddressSpace::create().release();
  other->activate();
  map_file(somewhere);
  EXPECT_EQ(platform_.load(va), 1);
  platform_.frame(file_->frame_of(0))[0] = 42;
  file_->contents_changed();  // as file systems do it
  for (AddressSpace* space : {other.get(), space_.get()}) {
    space->activate();
    EXPECT_TRUE(space->intact());
    EXPECT_EQ(platform_.load(va), 42);
    check(*space);
  }
  other.reset();
  EXPECT_EQ(platform_.mappings.at(va).frame, file_->frame_of(0));
  const Frame after = space_->own_text(va).release();
  EXPECT_EQ(platform_.frame(after)[0], 42);
  EXPECT_EQ(guest::frame_references(after), 2u);
}

TEST_F(TextCopyTest, ACopyKeepsClearOfItsNeighbours) {
  const std::uint64_t va = map_file(somewhere);
  for (std::uint64_t i : {2u, 9u}) {
    // As if only this page had been there.
    ASSERT_TRUE(space_->unmap(va, 16 * page).ok());
    map_file(va + i * page, i * page, 1);
    platform_.load(va + i * page);
    ASSERT_TRUE(space_->own_text(va + i * page).ok());
  }
  ASSERT_TRUE(space_->unmap(va, 16 * page).ok());
  map_file(va);
  std::set<Frame> frames;
  for (std::uint64_t i = 0; i < 16; ++i) {
    EXPECT_EQ(platform_.load(va + i * page), i + 1);
    const Frame frame = space_->own_text(va + i * page).release();
    EXPECT_NE(frame, file_->frame_of(i));
    frames.insert(frame);
    EXPECT_EQ(platform_.load(va + i * page), i + 1);
  }
  EXPECT_EQ(frames.size(), 16u);
  check(*space_);
}

TEST_F(TextCopyTest, WhatTheMonitorDoesNotWantHasNone) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va);
  const std::uint32_t free = guest::frames_free().number;
  platform_.may_rewrite_text = false;
  EXPECT_EQ(refusal(va), Errno::acces);
  EXPECT_EQ(guest::frames_free().number, free);
  EXPECT_EQ(platform_.mappings.at(va).frame, file_->frame_of(0));
  platform_.may_rewrite_text = true;
  EXPECT_EQ(refusal(va), Errno{});
}

TEST_F(TextCopyTest, WithLittleMemoryThereIsNone) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va);
  std::vector<Frame> taken;
  while (guest::frames_free().number >= guest::frames_total().number / 4)
    taken.push_back(guest::frames_allocate(guest::Frames(1)).release().first);
  EXPECT_EQ(refusal(va), Errno::nomem);
  EXPECT_EQ(platform_.load(va), 1);
  for (Frame frame : taken) guest::frame_release(frame);
  EXPECT_EQ(refusal(va), Errno{});
}

TEST_F(TextCopyTest, AFailedMappingChangesNothing) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va);
  platform_.mapping_calls_left = 0;
  EXPECT_EQ(refusal(va), Errno::nomem);
  platform_.mapping_calls_left = -1;
  EXPECT_EQ(platform_.load(va), 1);
  EXPECT_EQ(platform_.mappings.at(va).frame, file_->frame_of(0));
  check(*space_);
}

/// Rewritten code is right at its address only.
TEST_F(TextCopyTest, AMovedPageComesFromTheFileAgain) {
  const std::uint64_t va = map_file(somewhere), to = somewhere + 64 * page;
  platform_.load(va);
  const Frame frame = space_->own_text(va + 3 * page).release();
  platform_.frame(frame)[0] = 99;
  ASSERT_TRUE(space_
                  ->remap(va + 2 * page, 4 * page, 4 * page,
                          AddressSpace::remap_may_move | AddressSpace::remap_fixed, to)
                  .ok());
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(platform_.load(to + i * page), i + 3);
  EXPECT_EQ(platform_.mappings.at(to + page).frame, file_->frame_of(3));
  EXPECT_EQ(platform_.load(va + page), 2);
  EXPECT_EQ(platform_.load(va + 7 * page), 8);
  // What was not moved still is the copy's.
  EXPECT_NE(platform_.mappings.at(va + page).frame, file_->frame_of(1));
  check(*space_);
}

/// Also one of a copy that the file has left behind; but not what the process has written.
TEST_F(TextCopyTest, AMovedPageOfAChangedFileToo) {
  const std::uint64_t va = map_file(somewhere), to = somewhere + 64 * page;
  platform_.load(va);
  ASSERT_TRUE(space_->protect(va + page, page, text | vmi::prot_write).ok());
  platform_.store(va + page, 77);
  ASSERT_TRUE(space_->protect(va + page, page, text).ok());
  platform_.load(va);
  const Frame frame = space_->own_text(va).release();
  platform_.frame(frame)[0] = 99;
  file_->text_copies.drop();
  EXPECT_EQ(platform_.load(va), 99);
  ASSERT_TRUE(space_
                  ->remap(va, 2 * page, 2 * page,
                          AddressSpace::remap_may_move | AddressSpace::remap_fixed, to)
                  .ok());
  EXPECT_EQ(platform_.load(to), 1);
  EXPECT_EQ(platform_.load(to + page), 77);
  check(*space_);
}

TEST_F(TextCopyTest, WhatBecomesWritableComesFromTheFileAgain) {
  for (const bool changed : {false, true}) {
    const std::uint64_t va = map_file(somewhere);
    platform_.load(va);
    platform_.frame(space_->own_text(va + 5 * page).release())[8] = 99;
    if (changed) file_->text_copies.drop();
    ASSERT_TRUE(space_->protect(va + 5 * page, page, vmi::prot_read).ok());
    ASSERT_TRUE(space_->protect(va + 5 * page, page, text | vmi::prot_write).ok());
    platform_.store(va + 5 * page, 77);
    EXPECT_EQ(platform_.load(va + 5 * page + 8), 6);
    EXPECT_EQ(platform_.load(va + 6 * page), 7);
    check(*space_);
    ASSERT_TRUE(space_->unmap(va, 16 * page).ok());
  }
}

TEST_F(TextCopyTest, AFileThatIsSharedWithWritersHasNone) {
  const std::uint64_t va = map_file(somewhere);
  platform_.load(va);
  ASSERT_TRUE(space_->own_text(va).ok());
  const std::uint64_t shared =
      map_file(somewhere + 32 * page, 0, 16, vmi::prot_read | vmi::prot_write, true);
  platform_.store(shared, 42);
  ASSERT_TRUE(space_->unmap(va, 16 * page).ok());
  map_file(somewhere);
  EXPECT_EQ(platform_.load(va), 42);
  EXPECT_EQ(refusal(va), Errno::acces);
}

/// Programs choose how many there are: those that are mapped have a limit, others make room.
TEST_F(TextCopyTest, AFileHasSoMany) {
  auto copy_at = [&](std::uint64_t i) {
    const std::uint64_t va = map_file(somewhere + i * 2 * page, 0, 1);
    platform_.load(va);
    return refusal(va);
  };
  for (std::uint64_t i = 0; i < 64; ++i) EXPECT_EQ(copy_at(i), Errno{}) << i;
  const std::uint32_t free = guest::frames_free().number;
  EXPECT_EQ(copy_at(64), Errno::nomem);
  // Changed files' copies count while somebody has them.
  file_->text_copies.drop();
  EXPECT_EQ(copy_at(65), Errno::nomem);
  ASSERT_TRUE(space_->unmap(somewhere, 20 * page).ok());
  for (std::uint64_t i = 70; i < 80; ++i) EXPECT_EQ(copy_at(i), Errno{}) << i;
  EXPECT_EQ(copy_at(80), Errno::nomem);
  EXPECT_EQ(guest::frames_free().number, free);
  ASSERT_TRUE(space_->unmap(somewhere, 200 * page).ok());
  file_->text_copies.drop();
  EXPECT_EQ(guest::frames_free().number, free + 64);
}

}  // namespace
}  // namespace guest_test
