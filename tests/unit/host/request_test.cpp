// Requests: words of the command line and back.
#include "machines/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/request.h"
#include "machines/kinds.h"
#include "monitor/tool/error.h"

namespace machines {
namespace {

using testing::HasSubstr;

Request parsed(Words words) {
  words.erase(words.begin());  // "exec"
  return cli::exec_request(words).value();
}

std::string refusal(const Words& words) {
  try {
    cli::exec_request(words);
  } catch (const monitor::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Request, TheLeastThatIsAskedForIsTheDefault) {
  Request least{.on = parse("extended"), .program = {"/bin/true"}};
  EXPECT_EQ(cli::exec_request({"--", "/bin/true"}), least);
}

TEST(Request, BecomesWordsThatMakeTheSameRequest) {
  const Request all{.on = parse("extended:trap=sigsys,protect=none"),
                    .root = "/some/folder",
                    .add = {{"/a:b", "/c"}, {"d", "/e f"}},
                    .environment = {"A=", "B=c=d e"},
                    .memory_bytes = 64 << 20,
                    .fill = monitor::Fill::demand,
                    .timeout_seconds = 0.125,
                    .cpu = 0,
                    .account = true,
                    .strace = true,
                    .observe = true,
                    .summary = true,
                    .report = "/tmp/report",
                    .program = {"/bin/x", "--on", "--", ""}};
  EXPECT_EQ(parsed(to_words(all)), all);
  Request debugged = all;
  debugged.observe = false;
  debugged.debug = "/tmp/socket";
  EXPECT_EQ(parsed(to_words(debugged)), debugged);
  Request shell{.on = parse("baseline"), .program = {"/bin/sh"}};
  EXPECT_EQ(parsed(to_words(shell)), shell);
}

TEST(Request, WhatIsOfGuestsIsRefusedElsewhere) {
  for (const char* option : {"--strace", "--account", "--observe", "--debug=/tmp/x"}) {
    const std::string name = std::string(option).substr(0, std::string(option).find('='));
    EXPECT_THAT(refusal({"--on", "standalone", option, "--", "/bin/true"}),
                HasSubstr(name + " is for guests, and standalone has none"));
    EXPECT_EQ(refusal({"--on", "baseline", option, "--", "/bin/true"}), "accepted");
  }
}

TEST(Request, RefusalsNameTheWordAndTheRemedy) {
  EXPECT_THAT(refusal({"--add", "/a", "--", "x"}),
              HasSubstr("not of the form HOSTPATH:/GUESTPATH"));
  EXPECT_THAT(refusal({"--env", "=v", "--", "x"}), HasSubstr("'=v' is not of the form K=V"));
  EXPECT_THAT(refusal({"--read-only", "--", "x"}), HasSubstr("--root names none"));
  EXPECT_THAT(refusal({"--cpu", "4096", "--", "x"}), HasSubstr("choose one of"));
  EXPECT_THAT(refusal({"--observe", "--debug", "s", "--", "x"}), HasSubstr("one tracer"));
  EXPECT_THAT(refusal({"x"}), HasSubstr("'x' comes before any --"));
  EXPECT_THAT(refusal({}), HasSubstr("no program"));
}

}  // namespace
}  // namespace machines
