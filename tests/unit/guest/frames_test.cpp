// The frame table: runs, counts, placement by chunks, freshness.
#include <gtest/gtest.h>

#include "guest/mm/frames.h"
#include "tests/unit/guest/fake_platform.h"

namespace {

using guest::FrameRun;
using guest_test::FakePlatform;

class FramesTest : public ::testing::Test {
 protected:
  FakePlatform platform_{1000};  // 15 chunks and 40 frames
};

FrameRun take(std::uint32_t wanted) {
  auto run = guest::frames_allocate(guest::Frames(wanted));
  EXPECT_TRUE(run.ok());
  return run.ok() ? run.value() : FrameRun{};
}

TEST_F(FramesTest, RunsContinueEachOther) {
  FrameRun a = take(10), b = take(10);
  EXPECT_EQ(a.count.number, 10u);
  EXPECT_EQ(b.first, a.first + 10);
  EXPECT_EQ(guest::frames_free().number, 980u);
  guest::frames_release(a);
  guest::frames_release(b);
  EXPECT_EQ(guest::frames_free().number, 1000u);
}

TEST_F(FramesTest, LongRunsCrossChunks) {
  EXPECT_EQ(take(500).count.number, 500u);
  EXPECT_EQ(take(1000).count.number, 500u);
  EXPECT_EQ(guest::frames_allocate(guest::Frames(1)).error(), guest::Errno::nomem);
}

TEST_F(FramesTest, CountsKeepFramesAlive) {
  FrameRun run = take(2);
  guest::frames_retain({run.first, guest::Frames(2)});
  guest::frames_release({run.first, guest::Frames(2)});
  EXPECT_EQ(guest::frames_free().number, 998u);
  EXPECT_EQ(guest::frame_references(run.first), 1u);
  guest::frames_release({run.first, guest::Frames(2)});
  EXPECT_EQ(guest::frames_free().number, 1000u);
}

TEST_F(FramesTest, OverflowPinsForEver) {
  FrameRun run = take(1);
  for (int i = 0; i < 70000; ++i) guest::frame_retain(run.first);
  for (int i = 0; i < 70001; ++i) guest::frame_release(run.first);
  EXPECT_EQ(guest::frames_free().number, 999u);
}

TEST_F(FramesTest, ReleasingAFreeFrameIsCaught) {
  FrameRun run = take(1);
  guest::frame_release(run.first);
  EXPECT_THROW(guest::frame_release(run.first), guest_test::GuestPanic);
  EXPECT_THROW(guest::frame_release(1000), guest_test::GuestPanic);
}

TEST_F(FramesTest, FreshUntilReleased) {
  FrameRun run = take(4);
  EXPECT_TRUE(guest::frames_are_fresh(run));
  guest::frame_release(run.first + 2);
  auto again = guest::frames_allocate_at(run.first + 2, guest::Frames(1));
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(guest::frames_are_fresh(again.value()));
  EXPECT_FALSE(guest::frames_are_fresh(run));
}

TEST_F(FramesTest, AtAnExactFrame) {
  auto run = guest::frames_allocate_at(500, guest::Frames(8));
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run.value().first, 500u);
  EXPECT_EQ(run.value().count.number, 8u);
  EXPECT_EQ(guest::frames_allocate_at(507, guest::Frames(1)).error(), guest::Errno::nomem);
  EXPECT_EQ(guest::frames_allocate_at(1000, guest::Frames(1)).error(), guest::Errno::nomem);
  auto up_to = guest::frames_allocate_at(496, guest::Frames(100));
  ASSERT_TRUE(up_to.ok());
  EXPECT_EQ(up_to.value().count.number, 4u);
  auto last = guest::frames_allocate_at(999, guest::Frames(100));
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last.value().count.number, 1u);
}

TEST_F(FramesTest, FreeChunksAreWhollyFreeAndLowestFirst) {
  take(1);
  auto chunk = guest::frames_free_chunk();
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ(chunk.value(), 64u);
  ASSERT_TRUE(guest::frames_allocate_at(64, guest::Frames(1)).ok());
  EXPECT_EQ(guest::frames_free_chunk().value(), 128u);
  guest::frame_release(64);
  EXPECT_EQ(guest::frames_free_chunk().value(), 64u);
  // The odd end of memory is no chunk, but it is memory.
  for (vmi::Frame frame = 64; frame < 960; frame += 64) {
    ASSERT_TRUE(guest::frames_allocate_at(frame, guest::Frames(1)).ok());
  }
  EXPECT_FALSE(guest::frames_free_chunk().ok());
  std::uint32_t got = 0;
  while (guest::frames_free().number) got += take(64).count.number;
  EXPECT_EQ(got, 1000u - 15u);
}

TEST(Frames, BootTreeIsTaken) {
  FakePlatform platform(1000);
  guest::frames_init(guest::Frames(1000), {100, guest::Frames(50)});
  EXPECT_EQ(guest::frames_free().number, 950u);
  EXPECT_EQ(guest::frame_references(149), 1u);
  EXPECT_EQ(guest::frame_references(150), 0u);
  EXPECT_THROW(guest::frames_init(guest::Frames(1000), {990, guest::Frames(50)}),
               guest_test::GuestPanic);
}

}  // namespace
