// Whatever a guest can make of an ext2 image, e2fsck finds it sound: long random sequences of all
// that changes a file system, on images of every kind that we mount. TYPETWO_FUZZ_SEED begins
// with another than every day's, TYPETWO_FUZZ_SECONDS asks for more of them.
#include <chrono>
#include <map>
#include <sstream>

#include "tests/integration/disk_fixture.h"

namespace {

using namespace disk;

/// What mke2fs is to make.
const std::vector<Words> images = {
    {"-b", "1024"},
    {"-b", "4096"},
    {"-b", "2048", "-O", "^dir_index,^large_file", "-I", "256"},
    {"-b", "1024", "-I", "128", "-O", "^filetype"},
    {"-b", "1024", "-N", "48"},  // runs out of inodes
    {"-b", "1024", "-r", "0"},   // knows no features
};

unsigned long from_environment(const char* name, unsigned long otherwise) {
  const char* text = getenv(name);
  return text ? strtoul(text, nullptr, 0) : otherwise;
}

class Churn : public DiskTest {
 protected:
  Churn() {
    fs::copy_file(support::program("disk_churn"), tree_ / "bin/disk_churn");
    fs::create_directory(tree_ / "churn");
  }

  /// One sequence on an image of its own; what the program said.
  std::string round(const std::string& place, unsigned long seed, const std::string& steps) {
    const Words& options = images[seed % images.size()];
    SCOPED_TRACE("replay: TYPETWO_FUZZ_SEED=" + std::to_string(seed));
    make_image("8M", options);
    auto ran =
        script(place, "cd /churn && exec /bin/disk_churn " + std::to_string(seed) + " " + steps);
    EXPECT_EQ(ran.status, 0) << ran.describe();
    expect_sound();
    return ran.out;
  }
};

TEST_F(Churn, WhateverAGuestMakesIsSound) {
  const unsigned long first = from_environment("TYPETWO_FUZZ_SEED", 1);
  const auto seconds = std::chrono::seconds(from_environment("TYPETWO_FUZZ_SECONDS", 0));
  const auto end = std::chrono::steady_clock::now() + seconds;
  std::map<std::string, unsigned long> succeeded;
  for (unsigned long seed = first; !HasFailure(); ++seed) {
    if (seed >= first + 2 * images.size() && std::chrono::steady_clock::now() >= end) break;
    std::istringstream said(round("extended", seed, "4000"));
    std::string kind;
    for (unsigned long count = 0; said >> kind >> count;) succeeded[kind] += count;
  }
  EXPECT_EQ(succeeded.size(), 15u);
  for (const auto& [kind, count] : succeeded) EXPECT_GT(count, 0u) << kind;
}

TEST_F(Churn, WhateverAGuestOfTheBaselineMakesIsSound) {
  round("baseline", from_environment("TYPETWO_FUZZ_SEED", 1), "1500");
}

}  // namespace
