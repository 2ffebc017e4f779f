// Whatever a guest can make of an ext2 image, e2fsck finds it sound: long random sequences of all
// that changes a file system (disk_churn), on images of every kind that we mount.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/fuzz/fuzz.h"
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

class Churn : public DiskTest {
 public:
  Churn() {
    fs::copy_file(support::program("disk_churn"), tree_ / "bin/disk_churn");
    fs::create_directory(tree_ / "churn");
  }
  void TestBody() override {}

  /// One sequence on an image of its own.
  void round(fuzz::Run& run, const std::string& place) {
    const std::string steps = place.starts_with("baseline") ? "1500" : "4000";
    make_image("8M", images[run.round() % images.size()]);
    const auto ran = script(place, "cd /churn && exec /bin/disk_churn " +
                                       std::to_string(run.random()() >> 1) + " " + steps);
    EXPECT_EQ(ran.status, 0) << ran.describe();
    expect_sound();
    std::istringstream said(ran.out);
    std::string kind;
    for (unsigned long count = 0; said >> kind >> count;) {
      run.count(kind) += count;
      if (count != 0) succeeded_.insert(kind);
    }
  }
  /// What never succeeds is not tested.
  [[nodiscard]] bool has_tried_all() const { return succeeded_.size() == 15; }

 private:
  std::set<std::string> succeeded_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest();
  const fuzz::Options options = fuzz::parse(argc, argv);
  const auto places = fuzz::places(options, {"extended", "extended", "extended", "extended",
                                             "extended", "extended", "extended", "baseline"});
  fuzz::Run run("disk", options);
  Churn churn;
  for (; run.goes_on(); run.next_round()) {
    churn.round(run, places[run.round() % places.size()]);
    if (testing::Test::HasFailure()) run.fail("above is what");
  }
  if (run.round() - options.from >= 2 * images.size() && !churn.has_tried_all())
    run.fail("some kind of operation never succeeded");
  return run.end();
}
