// Files that the tool writes: whole at their place or not at all, whatever fails; and what is no
// file is written as it is.
#include "monitor/tool/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What somebody who writes there is told; "" when nothing went wrong.
std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const HostError& error) {
    return error.what();
  }
  return "";
}

/// In a child, so that limits and namespaces end with it: true when it says so.
bool holds_in_child(const std::function<bool()>& claim) {
  const pid_t child = fork();
  if (child == 0) _exit(claim() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Output : public testing::Test {
 protected:
  Output() {
    char name[] = "/tmp/output-test-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/file";
  }
  ~Output() override { fs::remove_all(folder_); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_))
      all.push_back(entry.path().filename());
    return all;
  }
  std::string folder_, path_;
};

TEST_F(Output, AppearsOnlyWhenItIsWhole) {
  {
    OutputFile file(path_);
    file.write("a");
    EXPECT_FALSE(fs::exists(path_));
    file.write("b");
    file.commit();
    EXPECT_EQ(content_of(path_), "ab");
  }
  EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(Output, WhatWasThereStaysUntilThen) {
  write_file(path_, "old");
  { OutputFile(path_).write("new"); }
  EXPECT_EQ(content_of(path_), "old");
  EXPECT_THAT(names(), ElementsAre("file"));
  write_file(path_, "new");
  EXPECT_EQ(content_of(path_), "new");
}

TEST_F(Output, KeepsTheModeOfTheOldFileAndMasksThatOfANewOne) {
  const mode_t before = umask(027);
  write_file(path_, "1");
  umask(before);
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms(0640));
  fs::permissions(path_, fs::perms(0604));
  write_file(path_, "2");
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms(0604));
}

TEST_F(Output, FollowsLinksThatLeadSomewhereOrNowhereYet) {
  fs::create_directory(folder_ + "/there");
  fs::create_symlink("there/file", folder_ + "/link");
  fs::create_symlink(folder_ + "/link", folder_ + "/link2");
  write_file(folder_ + "/link2", "1");
  EXPECT_EQ(content_of(folder_ + "/there/file"), "1");
  write_file(folder_ + "/link", "2");
  EXPECT_EQ(content_of(folder_ + "/there/file"), "2");
  EXPECT_TRUE(fs::is_symlink(folder_ + "/link2"));
  fs::create_symlink("loop", folder_ + "/loop");
  EXPECT_THAT(refusal([&] { write_file(folder_ + "/loop", ""); }), HasSubstr("Too many levels"));
}

TEST_F(Output, WritesPipesDevicesAndDescriptorsAsTheyAre) {
  write_file("/dev/null", "x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));

  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  OutputFile::check(path_, 1 << 20);  // nobody reads: must not wait
  std::string got;
  std::thread reader([&] { got = content_of(path_); });
  write_file(path_, "through the pipe");
  reader.join();
  EXPECT_EQ(got, "through the pipe");

  // A descriptor's own position counts: what others wrote through it stays.
  const std::string other = folder_ + "/other";
  const int fd = open(other.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(write(fd, "before ", 7), 7);
  const std::string number = std::to_string(fd);
  write_file("/dev/fd/" + number, "report");
  write_file("/proc/self/fd/" + number, " again");
  ASSERT_EQ(write(fd, " after", 6), 6);
  close(fd);
  EXPECT_EQ(content_of(other), "before report again after");
  EXPECT_THAT(refusal([&] { OutputFile::check("/dev/fd/" + number, 1); }),
              HasSubstr("cannot write"));
}

TEST_F(Output, AReaderThatIsGoneIsAnErrorAndNoDeath) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  close(ends[0]);
  EXPECT_THAT(refusal([&] { write_file("/dev/fd/" + std::to_string(ends[1]), "x"); }),
              HasSubstr("Broken pipe"));
  close(ends[1]);
}

TEST_F(Output, EveryFailureNamesCauseAndRemedy) {
  const std::string no_folder = folder_ + "/absent/file";
  std::ofstream(folder_ + "/plain") << "x";
  fs::create_directory(path_);
  const struct {
    std::string path, cause, remedy;
  } cases[] = {
      {"/dev/full", "No space left on device", "make room"},
      {no_folder, "No such file or directory", "make its folder"},
      {folder_ + "/plain/file", "Not a directory", "make its folder"},
      {path_, "Is a directory", "name a file"},
      {path_ + "/", "Is a directory", "name a file"},
      {"/proc/report", "No such file", "make its folder"},
      {"/sys/report", "ermi", "may write"},
      {folder_ + '/' + std::string(300, 'n'), "File name too long", "name a place"},
      {"", "No such file", "name another place"},
  };
  for (const auto& [path, cause, remedy] : cases) {
    EXPECT_THAT(refusal([&, &to = path] { write_file(to, "text"); }),
                AllOf(HasSubstr("cannot write " + path), HasSubstr(cause), HasSubstr(remedy)));
    if (path != "/dev/full") {
      EXPECT_THAT(refusal([&, &to = path] { OutputFile::check(to, 1); }), HasSubstr(cause));
    }
  }
  EXPECT_EQ(content_of(folder_ + "/plain"), "x");
}

/// Asked before anything is written, as somebody who is not root.
TEST_F(Output, WhatMayNotBeReplacedIsRefusedEarly) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be two other users";
  constexpr uid_t own = 12345, other = 12346;
  const struct {
    const char* what;
    mode_t folder, file;
    uid_t folder_of, file_of;
    std::string cause;
  } cases[] = {
      {"all is ours", 0700, 0600, own, own, ""},
      {"a file that is read-only", 0700, 0444, own, own, "Permission denied"},
      {"another's file", 0777, 0644, other, other, "Permission denied"},
      {"another's file that all may write", 0777, 0666, other, other, ""},
      {"the same in a sticky folder", 01777, 0666, other, other, "Operation not permitted"},
      {"another's file in our sticky folder", 01777, 0666, own, other, ""},
      {"our file in another's sticky folder", 01777, 0600, other, own, ""},
      {"our file in another's folder", 0755, 0600, other, own, "Permission denied"},
  };
  for (const auto& [what, folder, file, folder_of, file_of, cause] : cases) {
    std::ofstream(path_) << "old";
    // What a killed run left makes no difference.
    for (const bool leftover : {false, true}) {
      if (leftover) std::ofstream(unfinished_name(path_)) << "half";
      for (const auto& name : {path_, unfinished_name(path_)}) {
        if (!fs::exists(name)) continue;
        ASSERT_EQ(chown(name.c_str(), name == path_ ? file_of : own, 0), 0);
        ASSERT_EQ(chmod(name.c_str(), name == path_ ? file : 0600), 0);
      }
      ASSERT_EQ(chown(folder_.c_str(), folder_of, 0), 0);
      ASSERT_EQ(chmod(folder_.c_str(), folder), 0);
      EXPECT_TRUE(holds_in_child([&, &cause = cause] {
        if (setresgid(own, own, own) != 0 || setresuid(own, own, own) != 0) return false;
        const std::string early = refusal([&] { OutputFile::check(path_, 1); });
        const std::string late = refusal([&] { write_file(path_, "new"); });
        return early == late && early.empty() == cause.empty() && early.find(cause) != early.npos &&
               content_of(path_) == (cause.empty() ? "new" : "old");
      })) << what
          << (leftover ? ", with a leftover" : "");
    }
    fs::remove(path_);
    fs::remove(unfinished_name(path_));
  }
}

TEST_F(Output, AFolderThatComesIntoItsPlaceLoses) {
  EXPECT_THAT(refusal([&] {
                OutputFile file(path_);
                file.write("text");
                fs::create_directory(path_);
                file.commit();
              }),
              HasSubstr("Is a directory"));
  EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(Output, AFullDiskLeavesTheOldFile) {
  write_file(path_, "old");
  EXPECT_TRUE(holds_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit little{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &little);
    const std::string why = refusal([&] { write_file(path_, std::string(10'000, 'x')); });
    return why.find("File too large; raise the limit") != why.npos;
  }));
  EXPECT_EQ(content_of(path_), "old");
  EXPECT_THAT(names(), ElementsAre("file"));
  const bool tried = holds_in_child([&] {
    return unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  });
  if (!tried) GTEST_SKIP() << "needs the right to mount";
  EXPECT_TRUE(holds_in_child([&] {
    unshare(CLONE_NEWNS);
    mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=64k") != 0) return false;
    write_file(path_, "old");
    const std::string why = refusal([&] { write_file(path_, std::string(100'000, 'x')); });
    const std::string early = refusal([&] { OutputFile::check(path_, 100'000); });
    return why.find("No space left on device; make room") != why.npos &&
           early.find("no room for") != early.npos && content_of(path_) == "old" &&
           names().size() == 1 && refusal([&] { OutputFile::check(path_, 10'000); }).empty();
  }));
  EXPECT_TRUE(holds_in_child([&] {
    unshare(CLONE_NEWNS);
    mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (mount("tmpfs", folder_.c_str(), "tmpfs", MS_RDONLY, "") != 0) return false;
    const std::string why = refusal([&] { OutputFile::check(path_, 1); });
    return why.find("Read-only file system; name a place") != why.npos;
  }));
}

TEST_F(Output, TakesOverWhatAKilledRunLeft) {
  std::ofstream(unfinished_name(path_)) << "half of something much longer than what comes";
  write_file(path_, "whole");
  EXPECT_EQ(content_of(path_), "whole");
  EXPECT_THAT(names(), ElementsAre("file"));
  fs::create_symlink("elsewhere", unfinished_name(path_));  // not to be written through
  EXPECT_NE(refusal([&] { write_file(path_, "more"); }), "");
  fs::remove(unfinished_name(path_));
  ASSERT_EQ(mkfifo(unfinished_name(path_).c_str(), 0600), 0);
  EXPECT_THAT(refusal([&] { write_file(path_, "more"); }), HasSubstr("is in the way"));
  EXPECT_EQ(content_of(path_), "whole");
}

TEST_F(Output, TwoWritersDoNotMix) {
  std::thread second;
  {
    OutputFile first(path_);
    first.write(std::string(100'000, '1'));
    second = std::thread([&] { write_file(path_, std::string(100'000, '2')); });
    first.commit();
  }
  second.join();
  EXPECT_EQ(content_of(path_), std::string(100'000, '2'));
  EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(Output, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(path_) << "x";
  make_folder(folder_ + "/a/b");
  EXPECT_TRUE(fs::is_directory(folder_ + "/a/b"));
  EXPECT_THAT(refusal([&] { make_folder(path_ + "/a"); }),
              AllOf(HasSubstr("cannot make the folder"), HasSubstr("Not a directory")));
  EXPECT_THAT(refusal([&] { make_folder(path_); }), HasSubstr("Not a directory"));
  EXPECT_THAT(refusal([&] { make_folder("/proc/a"); }), HasSubstr("No such file"));
}

TEST_F(Output, WriteAllNeverFailsWithoutACause) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  errno = 0;
  EXPECT_FALSE(write_all(full, "x"));
  EXPECT_EQ(errno, ENOSPC);
  close(full);
}

}  // namespace
}  // namespace monitor
