// The terminal's line discipline by itself: what keys become, what the screen shows, which signals
// are raised.
#include "guest/drivers/line_discipline.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "guest/proc/signal.h"

namespace guest {
namespace {

class LineDisciplineTest : public testing::Test, public TerminalSide {
 protected:
  void show(char c) override { screen += c; }
  void raise(int signal) override { signals.push_back(signal); }
  void resume_output() override { ++resumed; }

  void type(const std::string& keys) {
    for (char c : keys) line->receive(c, *this);
  }
  void write(const std::string& text) {
    for (char c : text) line->write(c, *this);
  }
  /// What one read gets; "(nothing)" where it would wait.
  std::string read(std::size_t most = 100) {
    if (line->readable() == 0) return "(nothing)";
    std::string text(most, '\0');
    bool ended = false;
    text.resize(line->take(text.data(), most, ended));
    return text;
  }
  void change(std::uint32_t abi::Terminal::*flags, std::uint32_t off, std::uint32_t on = 0) {
    abi::Terminal settings = line->settings();
    settings.*flags = (settings.*flags & ~off) | on;
    line->set(settings);
  }
  std::string shown() { return std::exchange(screen, ""); }

  std::unique_ptr<LineDiscipline> line = std::make_unique<LineDiscipline>();
  std::string screen;
  std::vector<int> signals;
  int resumed = 0;
};

TEST_F(LineDisciplineTest, ALineIsReadWhenItIsDone) {
  type("hello");
  EXPECT_EQ(read(), "(nothing)");
  type("\r");
  EXPECT_EQ(shown(), "hello\r\n");
  EXPECT_EQ(read(), "hello\n");
  EXPECT_EQ(read(), "(nothing)");
}

TEST_F(LineDisciplineTest, AReadGetsOneLineAndShortOnesItsParts) {
  type("one\rtwo\r");
  EXPECT_EQ(read(2), "on");
  EXPECT_EQ(read(), "e\n");
  EXPECT_EQ(read(), "two\n");
}

TEST_F(LineDisciplineTest, ErasesCharactersWordsAndLines) {
  type(
      "abx\x7f"
      "c\r");
  EXPECT_EQ(shown(), "abx\b \bc\r\n");
  EXPECT_EQ(read(), "abc\n");
  type("one two\x17three\r");
  EXPECT_EQ(read(), "one three\n");
  shown();
  type("gone\x15\x7fkept\r");
  EXPECT_EQ(shown(), "gone\b \b\b \b\b \b\b \bkept\r\n");
  EXPECT_EQ(read(), "kept\n");
}

TEST_F(LineDisciplineTest, ErasesWhatTakesMoreColumnsOrBytes) {
  type("a\x16\x01\x7f");  // Ctrl-V Ctrl-A shows as ^A
  EXPECT_EQ(shown(), "a^\b^A\b \b\b \b");
  type("\t\x7f\r");  // from column 1 to 8
  EXPECT_EQ(shown(), "\t\b \b\b \b\b \b\b \b\b \b\b \b\b \b\r\n");
  EXPECT_EQ(read(), "a\n");
  change(&abi::Terminal::input, 0, abi::t_iutf8);
  type("\xc3\xa4\x7fz\r");
  EXPECT_EQ(shown(), "\xc3\xa4\b \bz\r\n");
  EXPECT_EQ(read(), "z\n");
}

TEST_F(LineDisciplineTest, EndOfFileEndsALineWithoutBeingInIt) {
  type("abc\x04");
  EXPECT_EQ(read(), "abc");
  type("\x04");
  EXPECT_EQ(read(), "");
  EXPECT_EQ(read(), "(nothing)");
  type("abc\x04");
  EXPECT_EQ(read(3), "abc");
  EXPECT_EQ(shown(), "abcabc");
}

TEST_F(LineDisciplineTest, SignalsAreRaisedAndForgetTheLine) {
  type("half\x03");
  EXPECT_EQ(shown(), "half^C");
  type("\x1c\x1a");
  EXPECT_EQ(signals, (std::vector<int>{sig_int, sig_quit, sig_tstp}));
  type("whole\r");
  EXPECT_EQ(read(), "whole\n");
  change(&abi::Terminal::local, abi::t_isig);
  type("\x03\r");
  EXPECT_EQ(read(), "\x03\n");
  EXPECT_EQ(signals.size(), 3u);
}

TEST_F(LineDisciplineTest, RawBytesGoThroughAtOnce) {
  change(&abi::Terminal::local, abi::t_icanon | abi::t_echo | abi::t_isig);
  change(&abi::Terminal::input, abi::t_icrnl);
  type("a\x7f\r\x04\x03");
  EXPECT_EQ(read(), "a\x7f\r\x04\x03");
  EXPECT_EQ(shown(), "");
}

TEST_F(LineDisciplineTest, ChangingTheModeLosesNothing) {
  type("half");
  change(&abi::Terminal::local, abi::t_icanon);
  EXPECT_EQ(read(), "half");
  type("raw");
  change(&abi::Terminal::local, 0, abi::t_icanon);
  EXPECT_EQ(read(), "raw");
}

TEST_F(LineDisciplineTest, CtrlSStopsOutputUntilCtrlQ) {
  type("\x13");
  EXPECT_TRUE(line->stopped());
  type("\x11");
  EXPECT_FALSE(line->stopped());
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(shown(), "");
}

TEST_F(LineDisciplineTest, OutputGetsItsCarriageReturns) {
  write("a\nb");
  EXPECT_EQ(shown(), "a\r\nb");
  change(&abi::Terminal::output, abi::t_opost);
  write("a\nb");
  EXPECT_EQ(shown(), "a\nb");
}

TEST_F(LineDisciplineTest, EchoCanBeOff) {
  change(&abi::Terminal::local, abi::t_echo);
  type("secret\x7f\r");
  EXPECT_EQ(shown(), "");
  EXPECT_EQ(read(), "secre\n");
  change(&abi::Terminal::local, 0, abi::t_echonl);
  type("secret\r");
  EXPECT_EQ(shown(), "\r\n");
}

TEST_F(LineDisciplineTest, AFullLineCanStillBeEnded) {
  type(std::string(3 * LineDiscipline::capacity, 'x'));
  type("\r");
  std::string text = read(2 * LineDiscipline::capacity);
  EXPECT_EQ(text.size(), LineDiscipline::capacity);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_TRUE(line->accepts());
}

TEST_F(LineDisciplineTest, AFullRawBufferAcceptsNoMore) {
  change(&abi::Terminal::local, abi::t_icanon);
  std::size_t typed = 0;
  for (; line->accepts() && typed < 2 * LineDiscipline::capacity; ++typed) type("x");
  EXPECT_EQ(typed, LineDiscipline::capacity - 1);
  EXPECT_EQ(read(10).size(), 10u);
  EXPECT_TRUE(line->accepts());
}

TEST_F(LineDisciplineTest, PositionsWrapAround) {
  for (int i = 0; i < 5000; ++i) {
    type("line " + std::to_string(i) + "\r");
    ASSERT_EQ(read(), "line " + std::to_string(i) + "\n");
  }
}

}  // namespace
}  // namespace guest
