// Integration: typetwo shell on a pseudo-terminal. What a person does at a shell: type, correct,
// interrupt, stop and continue jobs, resize the window, leave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/pseudo_terminal.h"
#include "tests/support/tool.h"

namespace {

using support::PseudoTerminal;
using testing::HasSubstr;

bool same_settings(const termios& a, const termios& b) {
  return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag &&
         a.c_lflag == b.c_lflag;
}

class TerminalShell : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(prompt()) << terminal.screen(); }
  bool shows(const std::string& text) { return terminal.shows(text); }
  bool prompt() { return shows("/ # "); }
  /// Types a command and waits until it has been taken.
  void run(const std::string& command) {
    terminal.type(command + "\r");
    ASSERT_TRUE(shows(command + "\r\n")) << terminal.screen();
  }
  /// The same with one that says "go": busybox sh says the line before the program has the terminal
  /// in its usual mode, and only then do keys mean what a person would mean by them.
  void start(const std::string& command) {
    run(command);
    ASSERT_TRUE(shows("go\r\n")) << terminal.screen();
  }

  PseudoTerminal terminal{{"shell", "--on", GetParam(), "--memory", "64M", "--add",
                           support::program("poll_bits") + ":/bin/poll_bits", "--", "/bin/sh"}};
};

INSTANTIATE_TEST_SUITE_P(Guests, TerminalShell, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(TerminalShell, LinesAreEchoedAndEdited) {
  start("sh -c 'echo go; exec cat'");
  terminal.type(
      "abx\x7f"
      "c\r");
  EXPECT_TRUE(shows("abx\b \bc\r\nabc\r\n")) << terminal.screen();
  terminal.type("gone\x15kept\r");
  EXPECT_TRUE(shows("kept\r\nkept\r\n")) << terminal.screen();
  terminal.type("\x04");
  EXPECT_TRUE(prompt()) << terminal.screen();
}

TEST_P(TerminalShell, CtrlCInterruptsTheForegroundOnly) {
  start("sh -c 'echo go; exec sleep 100'");
  terminal.type("\x03");
  EXPECT_TRUE(prompt()) << terminal.screen();
  run("echo status $?");
  EXPECT_TRUE(shows("status 130\r\n")) << terminal.screen();
  EXPECT_TRUE(prompt());
  // It makes no system call and reads nothing. (Not in the shell itself: busybox jumps out of
  // whatever Ctrl-C finds it at, and if that is echo's write it waits for its own lock ever after.)
  start("sh -c 'echo go; while :; do :; done'");
  terminal.type("\x03");
  EXPECT_TRUE(prompt()) << terminal.screen();
}

TEST_P(TerminalShell, JobsStopAndGoOn) {
  // busybox sh itself ignores Ctrl-\, so in the end it is cat.
  start(
      "sh -c 'trap \"echo on \\$((++n)); [ \\$n = 1 ] || exec cat\" CONT; echo go; while :; do :; "
      "done'");
  terminal.type("\x1a");
  EXPECT_TRUE(shows("Stopped")) << terminal.screen();
  EXPECT_TRUE(prompt());
  run("jobs");
  EXPECT_TRUE(shows("Stopped")) << terminal.screen();
  EXPECT_TRUE(prompt());
  run("bg");
  EXPECT_TRUE(shows("on 1\r\n")) << terminal.screen();  // before the prompt or after it
  run("echo prompt $?");
  EXPECT_TRUE(shows("prompt 0\r\n")) << terminal.screen();
  EXPECT_TRUE(prompt());
  run("fg");
  EXPECT_TRUE(shows("on 2\r\n")) << terminal.screen();
  terminal.type("cat\r");
  EXPECT_TRUE(shows("cat\r\ncat\r\n")) << terminal.screen();
  terminal.type("\x1c");
  EXPECT_TRUE(shows("Quit")) << terminal.screen();
  EXPECT_TRUE(prompt()) << terminal.screen();
}

TEST_P(TerminalShell, PollTellsWhatIsTyped) {
  run("poll_bits --helper; echo status $?");
  EXPECT_TRUE(shows("before: 104\r\n")) << terminal.screen();
  terminal.type("not yet a line");
  EXPECT_TRUE(shows("not yet a line")) << terminal.screen();
  terminal.type("\r");
  EXPECT_TRUE(shows("\r\nafter: 145\r\nthen: 104\r\nstatus 0\r\n")) << terminal.screen();
}

TEST_P(TerminalShell, TheBackgroundMayNotRead) {
  run("cat &");
  EXPECT_TRUE(prompt());
  bool stopped = false;  // the shell tells before a prompt, once it knows
  for (int tries = 0; tries < 100 && !stopped; ++tries) {
    terminal.type("\r");
    stopped = terminal.shows("Stopped (tty input)", 0.2);
  }
  EXPECT_TRUE(stopped) << terminal.screen();
}

TEST_P(TerminalShell, KnowsTheWindowAndItsChanges) {
  run("stty size");
  EXPECT_TRUE(shows("33 99\r\n")) << terminal.screen();
  EXPECT_TRUE(prompt());
  start("sh -c \"trap 'echo changed; exit' WINCH; echo go; while :; do :; done\"");
  terminal.resize(44, 111);
  EXPECT_TRUE(shows("changed")) << terminal.screen();
  EXPECT_TRUE(prompt()) << terminal.screen();
  run("stty size");
  EXPECT_TRUE(shows("44 111\r\n")) << terminal.screen();
}

TEST_P(TerminalShell, HasAControllingTerminal) {
  run("echo by name > /dev/tty; test -t 0 && echo yes; setsid cat /dev/tty");
  EXPECT_TRUE(shows("by name\r\nyes\r\n")) << terminal.screen();
  EXPECT_TRUE(shows("can't open '/dev/tty'")) << terminal.screen();
}

TEST_P(TerminalShell, EndsWithItsStatusAndTheTerminalAsItWas) {
  const termios raw = terminal.settings();
  EXPECT_FALSE(raw.c_lflag & (ICANON | ECHO | ISIG));
  terminal.type("exit 7\r");
  EXPECT_EQ(terminal.wait(), 7) << terminal.screen();
  EXPECT_TRUE(same_settings(terminal.at_start(), terminal.settings()));
}

TEST_P(TerminalShell, EndsWithCtrlD) {
  terminal.type("\x04");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
}

TEST_P(TerminalShell, GivesTheTerminalBackWhenKilled) {
  for (int signal : {SIGTERM, SIGHUP}) {
    PseudoTerminal other({"shell", "--on", GetParam(), "--memory", "64M", "--", "/bin/sh"});
    ASSERT_TRUE(other.shows("/ # ")) << other.screen();
    other.kill(signal);
    EXPECT_EQ(other.wait(), 128 + signal);
    EXPECT_TRUE(same_settings(other.at_start(), other.settings()));
  }
}

TEST(TerminalShellWords, WantsATerminalAndAGuest) {
  const auto piped = support::run_tool({"shell"});
  EXPECT_EQ(piped.status, 2);
  EXPECT_THAT(piped.err, HasSubstr("must be a terminal"));
  const auto native = support::run_tool({"shell", "--on", "standalone"});
  EXPECT_EQ(native.status, 2);
  EXPECT_THAT(native.err, HasSubstr("the host itself"));
}

/// Progress is rewritten in place only where the terminal can do that.
/// A shell asks the terminal where the cursor is. Its answer is for the shell, and not for the
/// screen.
TEST(TerminalOf, AnInteractiveShellByExecIsTheGuests) {
  for (const char* place : {"baseline", "extended"}) {
    PseudoTerminal terminal(
        {"exec", "--on", place, "--memory", "64M", "--", "/bin/busybox", "sh", "-i"});
    ASSERT_TRUE(terminal.shows("\x1b[6n")) << terminal.screen();
    terminal.type("\x1b[7;5R");
    terminal.type("echo $((6 * 7))\r");
    ASSERT_TRUE(terminal.shows("echo $((6 * 7))\r\n")) << terminal.screen();
    EXPECT_TRUE(terminal.shows("42\r\n")) << terminal.screen();
    EXPECT_THAT(terminal.screen(), testing::Not(HasSubstr("^[")));
    terminal.type("exit 3\r");
    EXPECT_EQ(terminal.wait(), 3) << terminal.screen();
  }
}

/// What is no such shell leaves the terminal as it is: Ctrl-C ends the tool.
TEST(TerminalOf, OtherProgramsByExecLeaveItAlone) {
  PseudoTerminal terminal(
      {"exec", "--memory", "64M", "--", "/bin/busybox", "sh", "-c", "echo go; sleep 100"});
  ASSERT_TRUE(terminal.shows("go\r\n")) << terminal.screen();
  EXPECT_TRUE(same_settings(terminal.settings(), terminal.at_start()));
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 128 + SIGINT);
}

TEST(TerminalOf, ARunGetsEscapesOnlyIfItKnowsThem) {
  for (const char* term : {"xterm", "dumb"}) {
    const std::string results = testing::TempDir() + "/terminal-run-" + std::to_string(getpid());
    PseudoTerminal terminal(
        {"run", "null-syscall", "--on", "extended", "--runs", "1", "--no-figure", "--out", results},
        33, 99, term);
    EXPECT_EQ(terminal.wait(60), 0) << terminal.screen();
    EXPECT_THAT(terminal.screen(), HasSubstr("Noise floor"));
    EXPECT_EQ(terminal.screen().find('\033') != std::string::npos, std::string(term) == "xterm");
    std::filesystem::remove_all(results);
  }
}

}  // namespace
