// Pipes, without blocking: order and wrap-around of the ring, limits, ends that go away.
#include "guest/fs/pipe/pipe.h"

#include "guest/abi/file_flags.h"
#include "tests/unit/guest/fs_fixture.h"

namespace guest {
namespace {

class PipeTest : public guest_test::FsTest {
 protected:
  PipeTest() {
    auto made = make_pipe(abi::o_nonblock);
    reader = made.value().reader;
    writer = made.value().writer;
  }
  Result<std::size_t> put(const std::string& text) {
    to_user(text);
    return writer->write(buffer, text.size());
  }
  std::string take(std::size_t bytes) {
    auto got = reader->read(buffer, bytes);
    EXPECT_TRUE(got.ok());
    return got.ok() ? from_user(got.value()) : "";
  }
  static std::string pattern(std::size_t bytes, unsigned seed) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i)
      text[i] = static_cast<char>((i * 7 + i / 251 + seed) & 0xff);
    return text;
  }
  Ref<File> reader, writer;
};

TEST_F(PipeTest, BytesComeOutInOrder) {
  EXPECT_EQ(put("hello ").value(), 6u);
  EXPECT_EQ(put("world").value(), 5u);
  EXPECT_EQ(take(3), "hel");
  EXPECT_EQ(take(100), "lo world");
}

TEST_F(PipeTest, SmallMessagesTakeNoFrames) {
  to_user(std::string(300, ' '));
  std::uint32_t before = frames_free().number;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(put(std::string(300, 'm')).value(), 300u);
    ASSERT_EQ(take(300).size(), 300u);
  }
  EXPECT_EQ(frames_free().number, before);
}

TEST_F(PipeTest, WrapsAroundManyTimes) {
  std::string sent, received;
  for (unsigned i = 0; i < 60; ++i) {
    std::string part = pattern(1 + i * 977 % 9000, i);
    auto written = put(part);
    ASSERT_TRUE(written.ok());
    sent += part.substr(0, written.value());
    received += take(i % 3 == 0 ? 500 : 5000);
  }
  while (received.size() < sent.size()) received += take(70000);
  EXPECT_EQ(sent, received);
}

TEST_F(PipeTest, HoldsExactly64KiB) {
  EXPECT_EQ(put(std::string(70000, 'x')).value(), Pipe::capacity);
  EXPECT_EQ(put("x").error(), Errno::again);
  EXPECT_EQ(take(100).size(), 100u);
  EXPECT_EQ(put(std::string(101, 'y')).error(), Errno::again) << "up to PIPE_BUF: all or nothing";
  EXPECT_EQ(put(std::string(100, 'y')).value(), 100u);
  EXPECT_EQ(take(4096).size(), 4096u);
  EXPECT_EQ(put(std::string(5000, 'z')).value(), 4096u);
}

TEST_F(PipeTest, EndsGoAway) {
  EXPECT_EQ(reader->read(buffer, 1).error(), Errno::again);
  EXPECT_TRUE(put("left").ok());
  writer.reset();
  EXPECT_EQ(reader->poll_state() & (abi::poll_in | abi::poll_hup), abi::poll_in | abi::poll_hup);
  EXPECT_EQ(take(100), "left");
  EXPECT_EQ(take(100), "");
}

TEST_F(PipeTest, WritingToNobodyIsEPIPE) {
  reader.reset();
  EXPECT_EQ(put("x").error(), Errno::pipe);
  EXPECT_TRUE(writer->poll_state() & abi::poll_err);
}

TEST_F(PipeTest, PollStates) {
  EXPECT_FALSE(reader->poll_state() & abi::poll_in);
  EXPECT_TRUE(writer->poll_state() & abi::poll_out);
  ASSERT_TRUE(put(std::string(62000, 'x')).ok());
  EXPECT_TRUE(reader->poll_state() & abi::poll_in);
  EXPECT_FALSE(writer->poll_state() & abi::poll_out);
}

TEST_F(PipeTest, EachEndHearsOfItsOwn) {
  struct Ear : Listener {
    Ear(Ref<File>& file, Events wanted)
        : Listener([](Listener& self, Events what) { static_cast<Ear*>(&self)->heard |= what; },
                   nullptr, wanted) {
      file->events()->add(*this);
    }
    Events take() { return std::exchange(heard, 0); }
    Events heard = 0;
  };
  Ear in(reader, abi::poll_in | abi::poll_hup), out(writer, abi::poll_out | abi::poll_err);
  ASSERT_TRUE(put(std::string(62000, 'x')).ok());
  EXPECT_TRUE(in.take() & abi::poll_in);
  ASSERT_TRUE(put("more").ok());
  EXPECT_TRUE(in.take() & abi::poll_in) << "for those who only look at changes";
  EXPECT_EQ(out.take(), 0u);
  take(5000);
  EXPECT_TRUE(out.take() & abi::poll_out);
  EXPECT_EQ(in.take(), 0u);
  WaitQueue::remove(out);
  writer.reset();
  EXPECT_TRUE(in.take() & abi::poll_hup);
  WaitQueue::remove(in);
}

TEST_F(PipeTest, WritersWhoLeaveAreMissedByThoseWhoMetThem) {
  auto fifo = make(*root, "fifo", mode_fifo | 0600);
  auto open = [&](std::uint32_t flags) { return fifo->open(flags | abi::o_nonblock).release(); };
  auto early = open(abi::o_rdonly);
  EXPECT_EQ(early->poll_state(), 0u) << "nobody has come yet";
  open(abi::o_wronly).reset();
  EXPECT_EQ(early->poll_state(), abi::poll_hup);
  auto late = open(abi::o_rdonly);
  EXPECT_EQ(late->poll_state(), 0u);
  open(abi::o_wronly).reset();
  EXPECT_EQ(late->poll_state(), abi::poll_hup);
}

TEST_F(PipeTest, BadAddressesLoseNothing) {
  EXPECT_EQ(writer->write(UserAddress{0x1000}, 10).error(), Errno::fault);
  EXPECT_TRUE(put("kept").ok());
  EXPECT_EQ(reader->read(UserAddress{0x1000}, 4).error(), Errno::fault);
  EXPECT_EQ(take(10), "kept");
}

TEST_F(PipeTest, GivesItsFramesBack) {
  to_user(std::string(70000, ' '));
  std::uint32_t before = frames_free().number;
  ASSERT_TRUE(put(std::string(70000, 'x')).ok());
  EXPECT_EQ(frames_free().number, before - 16);
  reader.reset();
  writer.reset();
  EXPECT_EQ(frames_free().number, before);
}

TEST_F(PipeTest, WithoutFramesAWriteFails) {
  std::vector<FrameRun> taken;
  to_user(std::string(5000, 'x'));
  while (frames_free().number) taken.push_back(frames_allocate(Frames(64)).value());
  EXPECT_EQ(writer->write(buffer, 5000).error(), Errno::nomem);
  EXPECT_EQ(writer->write(buffer, 100).value(), 100u) << "small ones need none";
}

TEST_F(PipeTest, FifoSharesOnePipe) {
  auto fifo = make(*root, "fifo", mode_fifo | 0600);
  EXPECT_EQ(fifo->open(abi::o_wronly | abi::o_nonblock).error(), Errno::nxio);
  reader = fifo->open(abi::o_rdonly | abi::o_nonblock).release();
  writer = fifo->open(abi::o_wronly | abi::o_nonblock).release();
  EXPECT_TRUE(put("named").ok());
  EXPECT_EQ(take(10), "named");
}

}  // namespace
}  // namespace guest
