// Flow: bytes in order through a ring that wraps, messages under notes, limits, and frames that
// come back.
#include "guest/net/flow.h"

#include "tests/unit/guest/fs_fixture.h"

namespace guest {
namespace {

int notes_alive = 0;
struct CountedNote final : FlowNote {
  CountedNote() { ++notes_alive; }
  ~CountedNote() override { --notes_alive; }
};

class FlowTest : public guest_test::FsTest {
 protected:
  Ref<Flow> flow = make_ref<Flow>(200'000u).release();

  std::size_t put(const std::string& text, FlowNote* note = nullptr) {
    to_user(text);
    auto done = flow->put(Parts(buffer, text.size()), 0, text.size(), note);
    EXPECT_TRUE(done.ok());
    return done.ok() ? done.value() : 0;
  }
  Result<> put_message(const std::string& text) {
    to_user(text);
    auto* note = new CountedNote;
    auto done = flow->put_message(Parts(buffer, text.size()), *note);
    if (!done.ok()) delete note;
    return done;
  }
  std::string take(std::size_t bytes) {
    bytes = std::min(bytes, flow->used());
    auto copied = flow->copy(0, Parts(buffer, bytes), 0, bytes);
    EXPECT_TRUE(copied.ok());
    std::string text = from_user(copied.value());
    flow->drop(copied.value());
    return text;
  }
  static std::string pattern(std::size_t bytes, unsigned seed) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i)
      text[i] = static_cast<char>((i * 7 + i / 251 + seed) & 0xff);
    return text;
  }
};

TEST_F(FlowTest, BytesComeOutInOrderHoweverItWraps) {
  std::string sent, received;
  for (unsigned i = 0; i < 300; ++i) {
    const std::string part = pattern(1 + i * 9973 % 30'000, i);
    sent += part.substr(0, put(part));
    received += take(i % 3 == 0 ? 500 : 20'000);
  }
  while (received.size() < sent.size()) received += take(70'000);
  EXPECT_GT(sent.size(), 3u * ByteRing::capacity);
  EXPECT_TRUE(sent == received);
}

TEST_F(FlowTest, SmallMessagesTakeNoFrames) {
  to_user("x");
  const std::uint32_t before = frames_free().number;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(put("small"), 5u);
    ASSERT_EQ(take(5), "small");
  }
  EXPECT_EQ(frames_free().number, before);
}

TEST_F(FlowTest, FramesComeBackWhenItGoes) {
  to_user(std::string(150'000, ' '));
  const std::uint32_t before = frames_free().number;
  ASSERT_EQ(put(pattern(150'000, 1)), 150'000u);
  EXPECT_LT(frames_free().number, before);
  flow.reset();
  EXPECT_EQ(frames_free().number, before);
}

// -- What a device is lent.

TEST_F(FlowTest, WhatIsLentStaysWhereItIs) {
  ByteRing::Piece pieces[4], again[4];
  ASSERT_EQ(put(pattern(1000, 1)), 1000u);
  const std::uint32_t count = flow->lend(pieces, 4, 5000).value();
  EXPECT_EQ(flow->lent(), 5000u);
  take(1000);
  flow->came(0);
  ASSERT_EQ(flow->lend(again, 4, 5000).value(), count);
  for (std::uint32_t i = 0; i < count; ++i) EXPECT_EQ(pieces[i].at, again[i].at);
  flow->came(5000);
  EXPECT_EQ(flow->used(), 5000u);
  EXPECT_EQ(flow->lent(), 0u);
}

// Idle connections hold no more than what they are lent, whatever went through them before.
TEST_F(FlowTest, FramesComeBackFromBesideWhatIsLent) {
  Ref<Flow> others[3];  // more than rings may keep
  ByteRing::Piece pieces[4];
  for (auto& other : others) {
    other = make_ref<Flow>(400'000u).release();
    std::swap(flow, other);
    ASSERT_EQ(put(pattern(300'000, 1)), 300'000u);
  }
  const std::uint32_t full = frames_free().number;
  ASSERT_EQ(put(pattern(100'000, 1)), 100'000u);
  ASSERT_TRUE(flow->lend(pieces, 4, 50'000).ok());
  EXPECT_LE(flow->lent(), 4096u);
  take(flow->used());
  EXPECT_GE(frames_free().number + 3, full);
}

TEST_F(FlowTest, AllTogetherHaveAQuarterOfMemory) {
  std::vector<Ref<Flow>> others;
  to_user(std::string(400'000, ' '));
  const std::uint32_t before = frames_free().number;
  for (int i = 0; i < 1000; ++i) {
    others.push_back(make_ref<Flow>(500'000u).release());
    if (!others.back()->put(Parts(buffer, 400'000), 0, 400'000).ok()) break;
  }
  EXPECT_LT(before - frames_free().number, frames_total().number / 4 + 200);
  EXPECT_GT(others.size(), 2u);
  others.clear();
  EXPECT_EQ(frames_free().number, before);
  EXPECT_EQ(put("again"), 5u);
}

TEST_F(FlowTest, TakesNoMoreThanItsLimit) {
  flow->set_limit(1000);
  EXPECT_EQ(put(std::string(3000, 'x')), 1000u);
  EXPECT_EQ(flow->room(), 0u);
  EXPECT_FALSE(flow->writable());
  take(300);
  EXPECT_EQ(flow->room(), 300u);
  EXPECT_FALSE(flow->writable());
  take(100);
  EXPECT_TRUE(flow->writable());
}

TEST_F(FlowTest, MessagesKeepTheirEndsAndWeighSomething) {
  ASSERT_TRUE(put_message("first").ok());
  ASSERT_TRUE(put_message("").ok());
  ASSERT_TRUE(put_message("third").ok());
  EXPECT_EQ(flow->first_note()->bytes(), 5u);
  flow->drop_message();
  EXPECT_EQ(flow->first_note()->bytes(), 0u);
  EXPECT_FALSE(flow->empty());
  flow->drop_message();
  EXPECT_EQ(take(100), "third");
  EXPECT_TRUE(flow->empty());
  int fit = 0;
  while (flow->has_room_for(1)) {
    ASSERT_TRUE(put_message("x").ok());
    ++fit;
  }
  EXPECT_LT(fit, 300);
  flow->drop_everything();
  EXPECT_EQ(notes_alive, 0);
  EXPECT_TRUE(flow->has_room_for(1));
}

TEST_F(FlowTest, AMessageWithABadPartLeavesNothing) {
  const abi::IoVector parts[] = {{buffer.value, 4}, {8, 4}};
  auto* note = new CountedNote;
  EXPECT_FALSE(flow->put_message(Parts(parts, 2, 8), *note).ok());
  delete note;
  EXPECT_TRUE(flow->empty());
  ASSERT_EQ(put("next"), 4u);
  EXPECT_EQ(take(10), "next");
}

TEST_F(FlowTest, ANoteEndsWithTheLastOfItsBytes) {
  put("before");
  put("noted", new CountedNote);
  put("behind");
  EXPECT_EQ(flow->first_note()->begin, 6u);
  EXPECT_EQ(take(10), "beforenote");
  EXPECT_EQ(notes_alive, 1);
  EXPECT_EQ(take(1), "d");
  EXPECT_EQ(notes_alive, 0);
  EXPECT_EQ(flow->first_note(), nullptr);
  EXPECT_EQ(take(10), "behind");
}

}  // namespace
}  // namespace guest
