// Guests that behave, watched from outside: whatever the monitor asks of the host for them, on
// every point that promises protection, is in the observer's table. (Those that do not:
// tests/hostile.)
#include "tests/support/observed.h"
#include "tests/integration/disk_fixture.h"

namespace {

class Observed : public disk::DiskTest, public testing::WithParamInterface<std::string> {
 protected:
  void expect_allowed(const std::vector<std::string>& program, std::vector<std::string> options,
                      const support::Options& how = {}) const {
    options.insert(options.end(), {"--memory", memory_, "--observe"});
    const auto guest = support::exec_reported(GetParam(), program, options, how);
    EXPECT_EQ(guest.run.status, 0) << guest.run.describe();
    support::expect_allowed(guest.outcome);
  }
};
INSTANTIATE_TEST_SUITE_P(Protected, Observed, testing::ValuesIn(support::protected_points()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(Observed, ConformanceProgramsMakeAllowedCallsAlone) {
  for (const char* topic : {"pipes", "mapped_files"})
    expect_allowed({"/test/program"}, {"--add", support::program(topic) + ":/test/program"});
}

TEST_P(Observed, SoDoesAShellOnADisk) {
  make_image("8M");
  support::Options how;
  how.input = "word\n";
  expect_allowed(
      {"/bin/busybox", "sh", "-c",
       "read word; echo $word | /bin/busybox cat >&2; /bin/busybox cp /bin/busybox /copy;"
       "/bin/busybox sync; /bin/busybox sleep 0.03 & wait;"
       "/bin/busybox cmp /bin/busybox /copy"},
      {"--root", image_}, how);
  expect_sound();
}

TEST_P(Observed, SoDoesOneOnADiskThatIsOnlyRead) {
  make_image("8M");
  expect_allowed({"/bin/busybox", "md5sum", "/bin/busybox"}, {"--root", image_, "--read-only"});
}

/// The filter's second line: with the window open (here: always), what the resident part never asks
/// of the host is not served by the host.
TEST(InAnOpenWindow, ForeignHostCallsAreTheGuestsOwn) {
  for (const char* place : {"extended:protect=none", "extended:trap=sigsys,protect=none"}) {
    const auto guest =
        support::exec_reported(place, {"/test/program"},
                               {"--memory", "64M", "--observe", "--add",
                                support::program("host_calls_program") + ":/test/program"});
    EXPECT_EQ(guest.run.status, 0) << guest.run.describe();
    support::expect_allowed(guest.outcome);
  }
}

}  // namespace
