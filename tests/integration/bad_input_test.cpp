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
    EXPECT_NE(run.status, 0) << size;
    EXPECT_LT(run.status, 128) << size;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << size << ": " << run.err;
  }
  const ToolRun run = support::exec("extended", {"/bin/sh"}, {"--timeout", "soon"});
  EXPECT_EQ(run.status, 2) << run.describe();
}

TEST(BadInput, HelpIsNoError) {
  for (const char* command : {"exec", "run", "plot", "doctor"}) {
    const ToolRun run = support::run_tool({command, "--help"});
    EXPECT_EQ(run.status, 0) << command;
    EXPECT_THAT(run.out, HasSubstr(command));
  }
  EXPECT_EQ(support::run_tool({"--help"}).status, 0);
}

TEST(Doctor, SaysWhatThisHostOffers) {
  const ToolRun run = support::run_tool({"doctor"});
  EXPECT_THAT(run.out, testing::AllOf(HasSubstr("ptrace"), HasSubstr("seccomp"),
                                      HasSubstr("baseline"), HasSubstr("extended")));
}

}  // namespace
