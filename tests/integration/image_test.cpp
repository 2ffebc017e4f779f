// typetwo image as a person meets it: images that e2fsprogs agrees with, made once, whole or not at
// all, with the host's own files in them; and standalone running from one.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/tool.h"
#include "workloads/image/directory.h"
#include "workloads/image/host_program.h"

namespace {

namespace fs = std::filesystem;
using image::run_program;
using support::run_tool;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Words = std::vector<std::string>;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_refusal(const support::ToolRun& ran, int status, const std::string& words) {
  EXPECT_EQ(ran.status, status) << ran.describe();
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(words));
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
}

class ImageTool : public testing::Test {
 protected:
  ImageTool() {
    std::string name = (fs::temp_directory_path() / "image-tool-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    file_ = folder_ + "/image";
  }
  ~ImageTool() override { image::remove_tree(folder_); }

  void make() const {
    auto ran = run_tool({"image", "--output", file_});
    ASSERT_EQ(ran.status, 0) << ran.describe();
    ASSERT_EQ(ran.out, file_ + '\n');
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      found.push_back(entry.path().filename());
    }
    return found;
  }
  /// A standalone run of a bash script on the image.
  [[nodiscard]] support::ToolRun run_bash(const std::string& script) const {
    return support::exec("standalone", {"/bin/busybox", "env", "/bin/bash", "-c", script},
                         {"--root", file_});
  }

  std::string folder_, file_;
};

TEST_F(ImageTool, HoldsTheHostsFilesAndPassesTheCheck) {
  make();
  EXPECT_THAT(names(), UnorderedElementsAre("image"));
  auto checked = run_program({"e2fsck", "-fn", file_});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  for (const char* path : {"/usr/bin/bash", "/usr/bin/gawk", "/usr/bin/ls",
                           "/usr/lib/x86_64-linux-gnu/libc.so.6", "/etc/debian_version"}) {
    std::string dumped = folder_ + "/dumped";
    run_program({"debugfs", "-R", "dump " + std::string(path) + ' ' + dumped, file_});
    EXPECT_NE(content_of(dumped), "") << path;
    EXPECT_TRUE(content_of(dumped) == content_of(path)) << path;
  }
}

TEST_F(ImageTool, ASecondCallDoesNothing) {
  make();
  struct stat before {
  }, after{};
  stat(file_.c_str(), &before);
  make();
  stat(file_.c_str(), &after);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
  ASSERT_EQ(run_tool({"image", "--output", file_, "--size", "400M"}).status, 0);
  EXPECT_EQ(fs::file_size(file_), 400u << 20);
}

TEST_F(ImageTool, WhatAGuestWroteIsNeverReplaced) {
  make();
  const auto remake = [&] { return run_tool({"image", "--output", file_, "--size", "400M"}); };
  for (const int how : {LOCK_SH, LOCK_EX}) {
    const int guest = open(file_.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(flock(guest, how), 0);
    const auto before = fs::file_size(file_);
    expect_refusal(remake(), 1, "is in use by another guest");
    EXPECT_EQ(fs::file_size(file_), before);
    make();  // the same again is none of the guest's business
    close(guest);
  }
  ASSERT_EQ(remake().status, 0);  // nobody has written yet
  auto wrote =
      support::exec("extended", {"/bin/busybox", "sh", "-c", "echo precious > /precious; sync"},
                    {"--root", file_});
  ASSERT_EQ(wrote.status, 0) << wrote.describe();
  EXPECT_EQ(remake().out, file_ + '\n');
  expect_refusal(run_tool({"image", "--output", file_, "--size", "500M"}), 1,
                 "guests have written to it since: name another --output, or remove it");
  EXPECT_THAT(run_program({"debugfs", "-R", "cat /precious", file_}).out, HasSubstr("precious"));
  EXPECT_THAT(names(), UnorderedElementsAre("image"));
  // Somebody's own changes count as well.
  fs::remove(file_);
  make();
  run_program({"debugfs", "-w", "-R", "mkdir mine", file_});
  expect_refusal(remake(), 1, "have written to it since");
}

TEST_F(ImageTool, OneThatIsKilledLeavesNoHalfImage) {
  int null = open("/dev/null", O_WRONLY);
  for (int milliseconds : {20, 100, 250}) {
    pid_t tool = support::start_tool({"image", "--output", file_}, null);
    usleep(static_cast<unsigned>(milliseconds) * 1000);
    kill(tool, SIGKILL);
    waitpid(tool, nullptr, 0);
    if (fs::exists(file_)) {
      EXPECT_EQ(run_program({"e2fsck", "-fn", file_}).status, 0);
      fs::remove(file_);
    }
  }
  close(null);
  make();
  EXPECT_THAT(names(), UnorderedElementsAre("image"));
}

TEST_F(ImageTool, BadInput) {
  expect_refusal(run_tool({"image", "--with", "no-such-package", "--output", file_}), 1,
                 "run: apt-get install no-such-package");
  std::ofstream(file_) << "a person's own file\n";
  expect_refusal(run_tool({"image", "--output", file_}), 2, "was not made by typetwo image");
  EXPECT_EQ(content_of(file_), "a person's own file\n");
  expect_refusal(run_tool({"image", "--output", "/no/such/folder/x"}), 1, "No such file");
  expect_refusal(run_tool({"image", "--output", file_ + "2", "--size", "2M"}), 1, "too small");
  expect_refusal(run_tool({"image", "--directory", folder_}), 2, "is there already");
  expect_refusal(run_tool({"image", "--directory", "x", "--size", "1G"}), 2, "not an image");
  for (const char* place : {"standalone", "baseline", "extended"}) {
    expect_refusal(support::exec(place, {"/bin/sh"}, {"--root", file_}), 125, "is truncated");
  }
  EXPECT_THAT(names(), UnorderedElementsAre("image"));
}

TEST_F(ImageTool, StandaloneRunsFromItAndLeavesItAsItWas) {
  make();
  std::string before = content_of(file_);
  const char* script =
      "echo $BASH_VERSION; awk -F: '{print $1}' /etc/passwd; cat /x /usr/bin/y 2>/dev/null;"
      "echo dropped > /x; echo dropped | tee /usr/bin/y; ls /tmp | wc -l; echo a > /tmp/a;"
      "test -c /dev/null && ls /proc/self/comm; exit 3";
  auto first = run_bash(script), second = run_bash(script);
  EXPECT_EQ(first.status, 3) << first.describe();
  EXPECT_EQ(first.err, "");
  EXPECT_THAT(first.out, HasSubstr("root\nnobody\ndropped\n0\n/proc/self/comm\n"));
  EXPECT_EQ(first.out, second.out);
  EXPECT_TRUE(before == content_of(file_));
  EXPECT_THAT(names(), UnorderedElementsAre("image", "image.tree"));
  EXPECT_FALSE(fs::exists(file_ + ".tree/root/x"));
  for (const auto& entry : fs::directory_iterator(file_ + ".tree")) {
    EXPECT_NE(entry.path().filename().string().substr(0, 4), "run-");
  }
}

TEST_F(ImageTool, StandaloneSeesAChangedImageOnceNoGuestMayBeWritingIt) {
  make();
  run_program({"debugfs", "-w", "-R", "mknod pipe p", file_});  // a --root folder may have none
  EXPECT_EQ(run_bash("test -p /pipe && ! test -e /news").status, 0);
  std::ofstream(folder_ + "/news") << "changed\n";
  run_program({"debugfs", "-w", "-R", "write " + folder_ + "/news news", file_});
  const int guest = open(file_.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(guest, LOCK_EX), 0);
  expect_refusal(run_bash("cat /news"), 125, "is in use by another guest");
  close(guest);
  EXPECT_EQ(run_bash("cat /news").out, "changed\n");
}

/// Nothing is removed from a folder that only has the name of ours.
TEST_F(ImageTool, StandaloneTouchesNobodysOwnFolder) {
  make();
  const std::string tree = file_ + ".tree";
  std::string own = folder_ + "/own";
  fs::create_directories(own + "/root");
  fs::create_directories(own + "/run-1");
  for (const char* name : {"/root/precious", "/run-1/precious", "/stamp"}) {
    std::ofstream(own + name) << "2 words\n";
  }
  const auto expect_untouched = [&](const std::string& words) {
    expect_refusal(run_bash("echo it ran"), 125, words);
    for (const char* name : {"/root/precious", "/run-1/precious", "/stamp"}) {
      EXPECT_EQ(content_of(own + name), "2 words\n") << name;
    }
  };
  fs::create_symlink(own, tree);
  expect_untouched(tree + ": Not a directory; move that away");
  fs::remove(tree);
  fs::create_symlink(own + "/absent", tree);
  expect_untouched(tree);
  fs::remove(tree);
  std::ofstream(tree) << "a file";
  expect_untouched(tree + ": Not a directory; move that away");
  fs::remove(tree);
  fs::rename(own, tree);
  own = tree;
  expect_untouched(tree + ": typetwo did not make this folder");
  fs::remove_all(tree);
  fs::create_directory(tree);  // an empty one has nothing to lose
  EXPECT_EQ(run_bash("echo it ran").out, "it ran\n");
  if (geteuid() != 0) return;
  ASSERT_EQ(chown(tree.c_str(), 12345, 12345), 0);
  EXPECT_EQ(run_bash("echo it ran").out, "it ran\n");  // in one of its own
  EXPECT_TRUE(fs::exists(tree + "-0/root/bin/bash"));
}

TEST_F(ImageTool, ASecondUserUsesWhatIsThere) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  make();
  EXPECT_EQ(run_bash("echo first").out, "first\n");
  fs::permissions(folder_, fs::perms::all);
  fs::permissions(file_, fs::perms(0644));
  const std::string tool = folder_ + "/tool";
  fs::copy_file(support::tool_path(), tool);
  const auto as_second = [&](std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", tool});
    return run_program(words);
  };
  const auto made = as_second({"image", "--output", file_});
  EXPECT_EQ(made.out, file_ + "\n") << made.err;
  for (const char* place : {"standalone", "baseline", "extended"}) {
    const auto ran = as_second({"exec", "--on", place, "--memory", "64M", "--root", file_,
                                "--read-only", "--", "/bin/bash", "-c", "echo second"});
    EXPECT_EQ(ran.out, "second\n") << ran.err;
  }
  const auto writes = as_second({"exec", "--root", file_, "--", "/bin/bash"});
  EXPECT_EQ(writes.status, 125);
  EXPECT_THAT(writes.err, HasSubstr("run with --read-only"));
}

/// Killed while it unpacks: the next run takes over what is there.
TEST_F(ImageTool, StandaloneGoesOnWhereAKilledRunStopped) {
  make();
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (const unsigned milliseconds : {5, 40, 100, 250}) {
    const pid_t tool = support::start_tool(
        {"exec", "--on", "standalone", "--root", file_, "--", "/bin/busybox", "true"}, null, null);
    usleep(milliseconds * 1000);
    kill(tool, SIGKILL);
    waitpid(tool, nullptr, 0);
    EXPECT_EQ(run_bash("echo it ran").out, "it ran\n");
    image::remove_tree(file_ + ".tree");
  }
  close(null);
}

TEST_F(ImageTool, AFolderOfTheSameFilesRunsInGuests) {
  auto made = run_tool({"image", "--directory", file_ + '/'});
  ASSERT_EQ(made.status, 0) << made.describe();
  EXPECT_THAT(names(), UnorderedElementsAre("image"));
  EXPECT_TRUE(content_of(file_ + "/usr/bin/bash") == content_of("/usr/bin/bash"));
  EXPECT_NE(content_of(file_ + "/etc/ld.so.cache"), "");
  for (const char* place : {"baseline", "extended"}) {
    auto ran = support::exec(place, {"/bin/busybox", "sha256sum", "/bin/bash"}, {"--root", file_});
    EXPECT_EQ(ran.out, run_program({"sha256sum", "/bin/bash"}).out) << ran.describe();
  }
}

TEST_F(ImageTool, OfTwoThatMakeOneFolderAtOnceOneMakesItWhole) {
  ASSERT_EQ(run_tool({"image", "--directory", folder_ + "/whole"}).status, 0);
  const auto files = [](const std::string& folder) {
    return run_program({"find", folder, "-printf", "%P %s %m\\n"}).out.size();
  };
  const auto whole = files(folder_ + "/whole");
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (const unsigned milliseconds : {0, 50, 150, 300}) {
    const Words words = {"image", "--directory", file_};
    const pid_t first = support::start_tool(words, null, null);
    usleep(milliseconds * 1000);
    const pid_t second = support::start_tool(words, null, null);
    int statuses[2];
    waitpid(first, &statuses[0], 0);
    waitpid(second, &statuses[1], 0);
    std::sort(std::begin(statuses), std::end(statuses));
    EXPECT_EQ(statuses[0], 0) << milliseconds;
    EXPECT_EQ(statuses[1], 2 << 8) << milliseconds;  // refused: it is there already
    EXPECT_EQ(files(file_), whole) << milliseconds;
    EXPECT_THAT(names(), UnorderedElementsAre("image", "whole"));
    image::remove_tree(file_);
  }
  close(null);
}

/// What shell prints is compared with standalone's in the same run.
TEST_F(ImageTool, TheShellWorkloadRunsFromAnImage) {
  support::Options patient;
  patient.deadline = std::chrono::seconds(400);
  auto ran = run_tool({"run", "shell", "--on", "extended", "--runs", "1", "--no-figure", "--out",
                       folder_ + "/results"},
                      patient);
  EXPECT_EQ(ran.status, 0) << ran.describe();
  EXPECT_THAT(ran.out, testing::Not(HasSubstr("FAILED")));
  EXPECT_THAT(ran.out, HasSubstr("shell"));
  EXPECT_THAT(content_of(folder_ + "/results/results.jsonl"), HasSubstr("\"image\":\""));
}

}  // namespace
