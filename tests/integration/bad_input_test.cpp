// Integration: bad input gets one clear line that names cause and remedy, and a non-zero status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/support/tool.h"

namespace {

using support::ToolRun;
using testing::HasSubstr;

void expect_one_line(const ToolRun& run, const std::string& words) {
  EXPECT_TRUE(run.in_time);
  EXPECT_NE(run.status, 0);
  EXPECT_LT(run.status, 128) << run.describe();
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_THAT(run.err, HasSubstr(words));
}

/// A program made of these bytes, run in a guest.
ToolRun run_bytes(const std::string& bytes) {
  std::string path = "/tmp/test-program-XXXXXX";
  const int fd = mkstemp(path.data());
  close(fd);
  std::ofstream(path) << bytes;
  const ToolRun run =
      support::exec("extended", {"/test/p"}, {"--memory", "64M", "--add", path + ":/test/p"});
  unlink(path.c_str());
  return run;
}

std::string good_program() {
  std::ifstream file(support::program("errors"));
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(BadInput, UnknownCommandsAndOptions) {
  expect_one_line(support::run_tool({"frobnicate"}), "frobnicate");
  expect_one_line(support::run_tool({"exec", "--frobnicate", "--", "/bin/sh"}), "frobnicate");
  expect_one_line(support::run_tool({"exec"}), "program");
  expect_one_line(support::run_tool({"run", "frobnicate"}), "frobnicate");
}

TEST(BadInput, NearNamesAreNamed) {
  expect_one_line(support::run_tool({"execc"}), "did you mean exec?");
  expect_one_line(support::run_tool({"help", "shel"}), "did you mean shell?");
  expect_one_line(support::run_tool({"exec", "--memroy", "1G", "--", "/bin/sh"}),
                  "did you mean --memory?");
  expect_one_line(support::run_tool({"run", "nul-syscall"}), "did you mean null-syscall?");
  expect_one_line(support::run_tool({"run", "laddr"}), "did you mean ladder?");
  expect_one_line(support::exec("extnded", {"/bin/sh"}), "did you mean extended?");
}

TEST(BadInput, UnknownConfigurations) {
  for (const char* config : {"frobnicate", "extended:trap=ptrace", "baseline:protect=none",
                             "extended:protect=", "standalone:trap=sigsys", ""}) {
    const ToolRun run = support::exec(config, {"/bin/sh"});
    EXPECT_EQ(run.status, 2) << config << ": " << run.describe();
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << config << ": " << run.err;
  }
}

TEST(BadInput, ProgramsThatAreNotThere) {
  for (const auto& place : support::places()) {
    expect_one_line(support::exec(place, {"/no/such/program"}), "/no/such/program");
    expect_one_line(support::exec(place, {"/tmp"}), "/tmp");
  }
  for (const auto& place : support::places()) {
    EXPECT_EQ(support::exec(place, {"/no/such/program"}).status, 127) << place;
    EXPECT_EQ(support::exec(place, {"sh"}).status, 127) << place;
    EXPECT_EQ(support::exec(place, {"/etc/passwd"}).status, 126) << place;
    EXPECT_EQ(support::exec(place, {"/tmp"}).status, 126) << place;
  }
  expect_one_line(support::exec("extended", {"/bin/sh"}, {"--add", "/no/such/file:/x"}),
                  "/no/such/file");
  expect_one_line(support::exec("extended", {"/bin/sh"}, {"--root", "/no/such/root"}),
                  "/no/such/root");
}

TEST(BadInput, ProgramsThatAreNone) {
  expect_one_line(run_bytes(""), "/test/p");
  expect_one_line(run_bytes("just some text\n"), "/test/p");
  expect_one_line(run_bytes("\177ELF"), "/test/p");
  expect_one_line(run_bytes(good_program().substr(0, 63)), "/test/p");
  expect_one_line(run_bytes(good_program().substr(0, 200)), "/test/p");
}

TEST(BadInput, AbsurdHeaders) {
  const std::string good = good_program();
  struct {
    std::size_t at;
    const char* bytes;
    std::size_t length;
  } const changes[] = {
      {4, "\1", 1},                                 // 32 bits
      {5, "\2", 1},                                 // big-endian
      {16, "\1", 1},                                // relocatable
      {18, "\3", 1},                                // i386
      {24, "\0\0\0\0\0\0\0\x80", 8},                // entry nowhere
      {32, "\377\377\377\377\377\377\377\177", 8},  // program headers beyond the file
      {54, "\1", 1},                                // of a strange size
      {56, "\377\377", 2},                          // and far too many
  };
  for (const auto& change : changes) {
    std::string bad = good;
    bad.replace(change.at, change.length, std::string(change.bytes, change.length));
    const ToolRun run = run_bytes(bad);
    EXPECT_TRUE(run.in_time);
    EXPECT_NE(run.status, 0) << "offset " << change.at;
    EXPECT_NE(run.err, "") << "offset " << change.at;
  }
}

TEST(BadInput, SizesThatMakeNoSense) {
  for (const char* size : {"0", "-1", "12Q", "4K", "1000000G", "", "x"}) {
    const ToolRun run = support::exec("extended", {"/bin/sh"}, {"--memory", size});
    EXPECT_EQ(run.status, 2) << size;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << size << ": " << run.err;
  }
  const ToolRun too_much = support::exec("extended", {"/bin/sh"}, {"--memory", "3G"});
  EXPECT_THAT(too_much.err, HasSubstr("16 to 2048 MiB"));
  for (const auto& words :
       {std::vector<std::string>{"--timeout", "soon"}, {"--cpu", "9999"}, {"--cpu", "-1"}}) {
    const ToolRun run = support::exec("extended", {"/bin/sh"}, words);
    EXPECT_EQ(run.status, 2) << run.describe();
  }
}

TEST(BadInput, MoreWordsThanAGuestTakes) {
  const std::vector<std::string> echo = {"/bin/busybox", "true"};
  auto many = echo, largest = echo;  // one too long the host itself refuses
  many.resize(30'000, "7");
  largest.resize(30, std::string(10'000, 'x'));
  for (const auto& place : support::guest_places()) {
    for (const auto& words : {many, largest}) {
      const ToolRun run = support::exec(place, words, {"--memory", "64M"});
      EXPECT_EQ(run.status, 126) << place;
      expect_one_line(run, "a guest takes 4096");
    }
    auto most = echo;
    most.resize(4096, std::string(50, 'x'));
    EXPECT_EQ(support::exec(place, most, {"--memory", "64M"}).status, 0) << place;
    const ToolRun one = support::exec(place, {echo[0], echo[1], std::string(128 * 1024 - 1, 'x')},
                                      {"--memory", "64M"});
    EXPECT_EQ(one.status, 0) << one.describe();
  }
}

TEST(BadInput, FilesThatAreNoResults) {
  expect_one_line(support::run_tool({"plot", "/etc/passwd"}), "is no results file");
}

TEST(BadInput, HelpIsNoError) {
  for (const char* command : {"exec", "run", "plot", "doctor"}) {
    const ToolRun run = support::run_tool({command, "--help"});
    EXPECT_EQ(run.status, 0) << command;
    EXPECT_THAT(run.out, HasSubstr(command));
  }
  EXPECT_EQ(support::run_tool({"--help"}).status, 0);
  EXPECT_EQ(support::run_tool({"help"}).status, 0);
  EXPECT_EQ(support::run_tool({"help", "exec"}).out, support::run_tool({"exec", "--help"}).out);
}

TEST(Doctor, SaysWhatThisHostOffers) {
  const ToolRun run = support::run_tool({"doctor"});
  EXPECT_THAT(run.out, testing::AllOf(HasSubstr("ptrace"), HasSubstr("seccomp"),
                                      HasSubstr("baseline"), HasSubstr("extended")));
}

}  // namespace
