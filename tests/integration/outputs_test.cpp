// What the tool prints and writes, where that cannot be done: every command says so by its status,
// older files stay, and what a run will lack is said before it begins.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "tests/support/tool.h"

namespace {

namespace fs = std::filesystem;
using support::run_tool;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Words = std::vector<std::string>;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class Outputs : public testing::Test {
 protected:
  Outputs() {
    std::string name = (fs::temp_directory_path() / "outputs-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    const fs::path source = TYPETWO_SOURCE;
    fs::copy_file(source / "results/reference/quick.jsonl", in("results.jsonl"));
  }
  ~Outputs() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string in(const std::string& name) const { return folder_ + '/' + name; }
  [[nodiscard]] std::vector<std::string> leftovers() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string name = entry.path().filename();
      if (name.find("unfinished") != name.npos) found.push_back(name);
    }
    return found;
  }
  /// With a program of that name first in its path.
  void replace_program(const std::string& name, const std::string& script) const {
    fs::create_directories(in("bin"));
    std::ofstream(in("bin/" + name)) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(in("bin/" + name), fs::perms::owner_all);
  }
  /// The tool after `prepare` has made the child's world worse. Its stderr.
  struct Ran {
    int status;
    std::string err;
  };
  Ran run_after(const std::function<void()>& prepare, const Words& words) const {
    const std::string err = in("stderr");
    const pid_t child = fork();
    if (child == 0) {
      const int null = open("/dev/null", O_RDWR), to = open(err.c_str(), O_RDWR | O_CREAT, 0600);
      dup2(null, 0);
      dup2(null, 1);
      dup2(to, 2);
      prepare();
      support::become_tool(words);
    }
    const int status = wait_for(child);
    std::string said = content_of(err);
    fs::remove(err);
    return {status, said};
  }

  std::string folder_;
};

TEST_F(Outputs, AFullStdoutFailsEveryCommand) {
  const Words commands[] = {
      {"--help"},
      {"exec", "--help"},
      {"shell", "--help"},
      {"run", "--help"},
      {"plot", "--help"},
      {"image", "--help"},
      {"syscalls", "--help"},
      {"doctor", "--help"},
      {"syscalls"},
      {"syscalls", "--format", "markdown"},
      {"syscalls", "--format", "json"},
      {"doctor"},
      {"image", "--list"},
      {"image", "--output", in("image")},
      {"image", "--directory", in("tree")},
      {"plot", in("results.jsonl")},
      {"run", "null-syscall", "--on", "baseline", "--runs", "1", "--out", in("run")},
      {"exec", "--on", "standalone", "--report", "/dev/stdout", "--", "/bin/busybox", "true"},
      {"exec", "--on", "standalone", "--", "/bin/busybox", "echo", "text"},
      {"exec", "--on", "baseline", "--", "/bin/busybox", "echo", "text"},
  };
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  for (const Words& words : commands) {
    int err[2];
    ASSERT_EQ(pipe2(err, O_CLOEXEC), 0);
    const pid_t child = support::start_tool(words, full, err[1]);
    close(err[1]);
    std::string said;
    char block[4096];
    for (ssize_t got; (got = read(err[0], block, sizeof block)) > 0;) {
      said.append(block, static_cast<std::size_t>(got));
    }
    close(err[0]);
    const int status = wait_for(child);
    EXPECT_THAT(status, testing::AnyOf(1, 125)) << words[0] << ' ' << words.back();
    EXPECT_THAT(said, HasSubstr("No space left on device")) << words[0] << ' ' << words.back();
  }
  close(full);
  EXPECT_TRUE(fs::exists(in("run/figure.svg")));  // what is written comes before what is printed
}

TEST_F(Outputs, AFullStderrIsNoDeathAndNoSuccess) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const auto status = [&](const Words& words) {
    return wait_for(support::start_tool(words, null, full));
  };
  EXPECT_EQ(status({"frobnicate"}), 2);
  EXPECT_EQ(status({"exec", "--frob"}), 2);
  EXPECT_EQ(status({"plot", "/absent"}), 1);
  for (const char* place : {"standalone", "baseline"}) {
    const Words exec = {"exec", "--on", place, "--summary", "--report", in("report")};
    Words fine = exec, seven = exec;
    fine.insert(fine.end(), {"--", "/bin/busybox", "true"});
    seven.insert(seven.end(), {"--", "/bin/busybox", "sh", "-c", "exit 7"});
    EXPECT_EQ(status(fine), 125) << place;
    EXPECT_THAT(content_of(in("report")), HasSubstr("\"exit_status\": 0"));
    EXPECT_EQ(status(seven), 7) << place;
    EXPECT_THAT(content_of(in("report")), HasSubstr("\"exit_status\": 7"));
  }
  close(full);
  close(null);
}

/// What a redraw can meet.
TEST_F(Outputs, AFigureSurvivesARedrawThatFails) {
  ASSERT_EQ(run_tool({"plot", folder_}).status, 0);
  const std::string svg = content_of(in("figure.svg")), png = content_of(in("figure.png"));
  ASSERT_GT(svg.size(), 10'000u);
  const auto expect_the_old = [&](const std::string& when) {
    EXPECT_TRUE(content_of(in("figure.svg")) == svg) << when;
    EXPECT_TRUE(content_of(in("figure.png")) == png) << when;
    EXPECT_THAT(leftovers(), IsEmpty()) << when;
  };
  const std::string path = getenv("PATH");
  const auto with_path = [&](const std::string& value) {
    setenv("PATH", value.c_str(), 1);
    auto ran = run_tool({"plot", folder_});
    setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(ran.status, 1) << ran.describe();
    EXPECT_EQ(ran.out, "");
    return ran.err;
  };
  EXPECT_THAT(with_path(in("bin")), HasSubstr("apt-get install gnuplot-nox"));
  expect_the_old("without gnuplot");
  replace_program("gnuplot", "exit 3");
  EXPECT_THAT(with_path(in("bin") + ":/bin"), HasSubstr("gnuplot failed (3)"));
  replace_program("gnuplot", "kill -9 $$");
  EXPECT_THAT(with_path(in("bin") + ":/bin"), HasSubstr("gnuplot failed (137)"));
  replace_program("gnuplot", "cat >/dev/null");
  EXPECT_THAT(with_path(in("bin") + ":/bin"), HasSubstr("gnuplot wrote no whole svg"));
  expect_the_old("with a gnuplot that fails");

  const auto limited = run_after(
      [] {
        const rlimit little{2048, 2048};
        setrlimit(RLIMIT_FSIZE, &little);
      },
      {"plot", folder_});
  EXPECT_EQ(limited.status, 1);
  EXPECT_THAT(limited.err, AllOf(StartsWith("typetwo plot: "), HasSubstr("File too large")));
  expect_the_old("under a limit of file sizes");

  fs::remove(in("figure.png"));
  fs::create_directory(in("figure.png"));
  const auto ran = run_tool({"plot", folder_});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("figure.png: Is a directory"));
}

bool may_mount() {
  const pid_t child = fork();
  if (child == 0) {
    const bool may =
        unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    _exit(may ? 0 : 1);
  }
  return wait_for(child) == 0;
}

/// A small file system over `folder`, in the child only.
std::function<void()> small_disk(const std::string& folder, const char* options,
                                 unsigned long flags = 0) {
  return [=] {
    const bool mounted = unshare(CLONE_NEWNS) == 0 &&
                         mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         mount("tmpfs", folder.c_str(), "tmpfs", flags, options) == 0;
    if (!mounted) _exit(99);
  };
}

TEST_F(Outputs, AFullOrUnwritableFolderIsNamedBeforeAnythingRuns) {
  if (!may_mount()) GTEST_SKIP() << "needs the right to mount";
  const std::string disk = in("disk");
  fs::create_directory(disk);
  const Words exec = {"exec", "--on",         "baseline", "--report", disk + "/report",
                      "--",   "/bin/busybox", "sh",       "-c",       "echo it ran >&2"};
  const Words run = {"run", "null-syscall", "--on", "standalone", "--runs", "1", "--out", disk};
  const Words plot = {"plot", in("results.jsonl"), "--out", disk};
  const Words image = {"image", "--output", disk + "/image"};
  const Words tree = {"image", "--directory", disk + "/tree"};
  for (const Words& words : {exec, run, plot, image, tree}) {
    const auto unwritable = run_after(small_disk(disk, "", MS_RDONLY), words);
    EXPECT_THAT(unwritable.status, testing::AnyOf(1, 125)) << words[0];
    EXPECT_THAT(unwritable.err, AllOf(HasSubstr("Read-only file system"), HasSubstr("; "),
                                      Not(HasSubstr("it ran"))));
    const auto full = run_after(small_disk(disk, "size=16k"), words);
    EXPECT_THAT(full.status, testing::AnyOf(1, 125)) << words[0];
    EXPECT_THAT(full.err,
                AllOf(testing::AnyOf(HasSubstr("No space left"), HasSubstr("no room for")),
                      HasSubstr("make room"), Not(HasSubstr("it ran"))));
  }
}

TEST_F(Outputs, WhatARunWillNeedIsSaidFirst) {
  std::ofstream(in("plain")) << "x";
  const auto refused = [&](const Words& more, int status, const std::string& words) {
    Words all = {"run", "null-syscall", "--on", "baseline", "--runs", "1"};
    all.insert(all.end(), more.begin(), more.end());
    const auto ran = run_tool(all);
    EXPECT_EQ(ran.status, status) << ran.describe();
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, AllOf(StartsWith("typetwo run: "), HasSubstr(words)));
    EXPECT_FALSE(fs::exists(in("new/results.jsonl")));
  };
  refused({"--out", in("plain")}, 1, "Not a directory");
  refused({"--out", in("plain/x")}, 1, "Not a directory");
  refused({"--out", "/proc/x"}, 1, "cannot make the folder /proc/x");
  refused({"--out", in("new"), "--csv", in("absent/csv")}, 1, "absent/csv: No such file");
  refused({"--out", in("new"), "--csv", folder_}, 1, "Is a directory");
  refused({"--out", in("new"), "--csv", in("new/results.jsonl")}, 2, "are one file");
  refused({"--out", in("new"), "--csv", in("new/figure.svg")}, 2, "are one file");
  refused({"--out", in("new"), "--csv", in("new/../new/figure.png")}, 2, "are one file");
  refused({"--out", in("new"), "--memory", "4G"}, 2, "16 to 2048 MiB");
  refused({"--out", in("new"), "--memory", "1M"}, 2, "16 to 2048 MiB");
  fs::create_directories(in("new/figure.png"));
  refused({"--out", in("new")}, 1, "figure.png: Is a directory");
  fs::remove(in("new/figure.png"));
  replace_program("gnuplot-that-is-none", "");
  const std::string path = getenv("PATH");
  setenv("PATH", in("bin").c_str(), 1);
  refused({"--out", in("new")}, 1, "--no-figure");
  setenv("PATH", path.c_str(), 1);
  fs::create_symlink("/dev/zero", in("new/results.jsonl"));
  const auto ran = run_tool({"run", "null-syscall", "--on", "baseline", "--out", in("new")});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("no regular file"));
}

/// By whatever name: nothing that a command reads or wrote before is overwritten by what it writes.
TEST_F(Outputs, NothingIsOverwrittenByAnotherOutput) {
  const std::string results = content_of(in("results.jsonl"));
  const auto expect_refused = [&](const Words& words) {
    const auto ran = run_tool(words);
    EXPECT_EQ(ran.status, 2) << ran.describe();
    EXPECT_THAT(ran.err, HasSubstr("are one file"));
  };
  for (const char* name : {"x.svg", "y.png"}) {
    fs::copy_file(in("results.jsonl"), in(name));
    expect_refused({"plot", in(name)});
    EXPECT_TRUE(content_of(in(name)) == results) << name;
  }
  fs::create_hard_link(in("results.jsonl"), in("figure.png"));
  expect_refused({"plot", folder_});
  fs::remove(in("figure.png"));
  fs::create_symlink("results.jsonl", in("figure.svg"));
  expect_refused({"plot", folder_});
  EXPECT_TRUE(content_of(in("results.jsonl")) == results);
  const std::string added = in("results.jsonl") + ":/added";
  expect_refused({"exec", "--on", "standalone", "--add", added, "--report", in("figure.svg"), "--",
                  "/bin/busybox", "true"});
  EXPECT_TRUE(content_of(in("results.jsonl")) == results);
}

TEST_F(Outputs, ReportsGoWhereUsersExpect) {
  const auto exec = [&](const std::string& report, const std::string& script) {
    return support::exec("standalone", {"/bin/busybox", "sh", "-c", script}, {"--report", report});
  };
  const auto streamed = exec("/dev/stdout", "echo from the program");
  EXPECT_EQ(streamed.status, 0) << streamed.describe();
  EXPECT_THAT(streamed.out, AllOf(StartsWith("from the program\n{"), HasSubstr("exit_status")));
  fs::create_symlink("place", in("link"));
  EXPECT_EQ(exec(in("link"), "true").status, 0);
  EXPECT_TRUE(fs::is_symlink(in("link")));
  EXPECT_THAT(content_of(in("place")), HasSubstr("exit_status"));
  const auto nowhere = exec("/absent/report", "echo it ran");
  EXPECT_EQ(nowhere.status, 125);
  EXPECT_EQ(nowhere.out, "");
  EXPECT_THAT(nowhere.err, HasSubstr("cannot write /absent/report: No such file"));
}

/// Killed while it writes: the old figure or the new one, never part of one.
TEST_F(Outputs, AKilledRedrawLeavesAWholeFigure) {
  ASSERT_EQ(run_tool({"plot", folder_}).status, 0);
  const std::string svg = content_of(in("figure.svg"));
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (unsigned milliseconds = 5; milliseconds < 600; milliseconds += 60) {
    const pid_t tool = support::start_tool({"plot", folder_}, null, null);
    usleep(milliseconds * 1000);
    kill(tool, SIGKILL);
    wait_for(tool);
    EXPECT_TRUE(content_of(in("figure.svg")) == svg) << milliseconds;
  }
  close(null);
  EXPECT_EQ(run_tool({"plot", folder_}).status, 0);
  EXPECT_THAT(leftovers(), IsEmpty());
}

}  // namespace
