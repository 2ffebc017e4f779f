// Looks around before and after a test: see leaves_nothing.h.
#include "tests/support/leaves_nothing.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/process_list.h"

namespace support {
namespace {

namespace fs = std::filesystem;

/// The tool's only: no test gives its own files such a name, as other tests may run meanwhile.
std::set<std::string> temporary_files() {
  std::set<std::string> names;
  for (const char* folder : {"/tmp", "/dev/shm", "/var/tmp", "/run"}) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().string().find("typetwo") != std::string::npos) names.insert(entry.path());
    }
  }
  return names;
}

/// The tool's only: others may come and go.
std::vector<std::string> mounts() {
  std::ifstream file("/proc/self/mounts");
  std::vector<std::string> ours;
  for (std::string line; std::getline(file, line);)
    if (line.find("typetwo") != std::string::npos) ours.push_back(line);
  return ours;
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), {}));
}

/// What this test's runs left behind: orphans become its children (PR_SET_CHILD_SUBREAPER), so that
/// whatever others run meanwhile does not count.
std::vector<std::string> processes_left() {
  while (waitpid(-1, nullptr, WNOHANG | __WALL) > 0) {
  }
  std::vector<std::string> left;
  for (const auto& process : descendants(getpid()))
    left.push_back(process.name + ' ' + process.state);
  return left;
}

}  // namespace

void LeavesNothing::SetUp() {
  files_ = temporary_files();
  mounts_ = mounts();
  descriptors_ = open_descriptors();
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/// They may take a moment to be gone.
void LeavesNothing::TearDown() {
  for (int tries = 0; !processes_left().empty() && tries < 1000; ++tries) usleep(20'000);
  EXPECT_THAT(processes_left(), testing::IsEmpty());
  EXPECT_EQ(temporary_files(), files_);
  EXPECT_EQ(mounts(), mounts_);
  EXPECT_EQ(open_descriptors(), descriptors_);
}

}  // namespace support
