// DiskTest: ext2 images of a few MiB, made on the spot with busybox and disk_program in them, run
// by the tool, and looked at from the host by e2fsprogs: somebody else's opinion. For disk_test.cpp
// and disk_damage_test.cpp.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/tool.h"
#include "workloads/image/directory.h"
#include "workloads/image/host_program.h"
#include "workloads/image/unpacked_image.h"

namespace disk {

namespace fs = std::filesystem;
using support::ToolRun;
using Words = std::vector<std::string>;

inline std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Byte i of what disk_program writes.
inline std::string program_pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('A' + i / 7 % 50);
  return text;
}

/// The tool with this exec line, its stdout read up to `until`, then killed without warning.
/// Returns what it had said. The image is nobody's when this returns.
inline std::string kill_after(const Words& words, const std::string& until,
                              const std::string& image) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "";
  const pid_t tool = support::start_tool(words, ends[1]);
  close(ends[1]);
  std::string said;
  char part[256];
  for (ssize_t got; said.find(until) == said.npos && (got = read(ends[0], part, sizeof part)) > 0;)
    said.append(part, static_cast<std::size_t>(got));
  kill(tool, SIGKILL);
  waitpid(tool, nullptr, 0);
  for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0;)
    said.append(part, static_cast<std::size_t>(got));
  close(ends[0]);
  const int fd = open(image.c_str(), O_RDONLY | O_CLOEXEC);
  flock(fd, LOCK_EX);  // the guest's processes hold it as long as they live
  close(fd);
  return said;
}

class DiskTest : public testing::Test {
 protected:
  DiskTest() {
    std::string name = (fs::temp_directory_path() / "disk-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    tree_ = folder_ / "files";
    image_ = folder_ / "image";
    fs::create_directories(tree_ / "bin");
    fs::copy_file("/bin/busybox", tree_ / "bin/busybox");
    fs::copy_file(support::program("disk_program"), tree_ / "bin/disk_program");
    fs::create_symlink("busybox", tree_ / "bin/sh");
  }
  ~DiskTest() override { image::remove_tree(folder_); }

  void make_image(const std::string& size, const Words& options = {}) const {
    Words words = {"mke2fs", "-q", "-F", "-t", "ext2", "-d", tree_};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {image_, size});
    auto made = image::run_program(words);
    ASSERT_EQ(made.status, 0) << made.err;
  }

  [[nodiscard]] Words exec_line(const std::string& place, const Words& program) const {
    Words words = {"exec", "--on", place, "--memory", memory_, "--root", image_, "--"};
    words.insert(words.end(), program.begin(), program.end());
    return words;
  }
  [[nodiscard]] ToolRun run(const std::string& place, const Words& program,
                            const Words& more = {}) const {
    Words options = {"--memory", memory_, "--root", image_};
    options.insert(options.end(), more.begin(), more.end());
    return support::exec(place, program, options);
  }
  [[nodiscard]] ToolRun script(const std::string& place, const std::string& text,
                               const Words& more = {}) const {
    return run(place, {"/bin/busybox", "sh", "-c", text}, more);
  }

  void expect_sound() const {
    auto checked = image::run_program({"e2fsck", "-fn", image_});
    EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  }
  /// As a boot script would: only what is safe to repair without asking.
  void repair() const {
    auto repaired = image::run_program({"e2fsck", "-p", image_});
    EXPECT_LE(repaired.status, 1) << repaired.out << repaired.err;
    expect_sound();
  }
  /// The image's files, as the host's own libext2fs reads them.
  fs::path unpacked() {
    image::remove_tree(folder_ / "unpacked");
    fs::create_directory(folder_ / "unpacked");
    image::unpack_image(image_, folder_ / "unpacked");
    return folder_ / "unpacked";
  }

  fs::path folder_, tree_;
  std::string image_, memory_ = "64M";
};

/// One clear line, no success, and the file as it was.
inline void expect_refused(const ToolRun& run, const std::string& words) {
  EXPECT_TRUE(run.in_time);
  EXPECT_NE(run.status, 0);
  EXPECT_LT(run.status, 128) << run.describe();
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_THAT(run.err, testing::HasSubstr(words));
}

}  // namespace disk
