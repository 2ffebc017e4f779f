// Nothing leaks, however often it is done: on the host, by a thousand boots in all; in a guest, by
// processes that come and go in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/leaves_nothing.h"
#include "tests/support/tool.h"

namespace {

constexpr std::size_t boots = 1000;  // at all points together

class Boots : public support::LeavesNothing {};

INSTANTIATE_TEST_SUITE_P(InGuests, Boots, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

/// Guest memory is a memfd without a name in any folder: it lasts as long as a process that has it,
/// and LeavesNothing knows of each of these. The host's other memory is others' to change.
TEST_P(Boots, LeaveNothingOnTheHost) {
  const std::size_t here = boots / support::guest_places().size() + 1;
  for (std::size_t i = 0; i < here; ++i) {
    const auto run = support::exec(GetParam(), {"/bin/busybox", "true"}, {"--memory", "16M"});
    ASSERT_EQ(run.status, 0) << "boot " << i << ": " << run.describe();
  }
}

class Cycles : public support::LeavesNothing {};

INSTANTIATE_TEST_SUITE_P(AtEveryPoint, Cycles, testing::ValuesIn(support::every_point()),
                         [](const auto& info) { return support::test_name(info.param); });

/// A cycle has forks, execs, a pipe, files, a signal that kills, and memory of each kind. Frames
/// and heap are counted by the guest kernel; every cycle must give back all it took. The first
/// cycles fill what is kept for good: the shell's own memory, the caches, and copies of text that
/// the monitor rewrites.
TEST_P(Cycles, GiveEverythingBack) {
  const auto cycles = static_cast<int>(1000 / support::every_point().size() + 1);
  const std::string script = R"(
    cycle() {
      echo word | /bin/busybox cat >/tmp/file
      /bin/busybox mv /tmp/file /tmp/moved
      rm /tmp/moved
      (mkdir /tmp/folder; rmdir /tmp/folder; kill -9 $(exec sh -c 'echo $PPID')) 2>/dev/null
      /bin/busybox dd if=/dev/zero of=/dev/null bs=1M count=1 2>/dev/null
    }
    repeat() { i=100000; while [ $i -lt $((100000 + $1)) ]; do cycle; i=$((i + 1)); done; }
    use() { read -r load </proc/loadavg; load=${load#* * * }; echo "${load% *}"; while read -r line; do echo "$line"; done </proc/meminfo; }
    repeat 20; use >/tmp/before; use >/tmp/after
    use >/tmp/before; repeat )" +
                             std::to_string(cycles) + R"(; use >/tmp/after
    /bin/busybox cat /tmp/before; /bin/busybox diff /tmp/before /tmp/after && echo equal)";
  const auto reported = support::exec_reported(GetParam(), {"/bin/busybox", "sh", "-c", script},
                                               {"--memory", "64M", "--timeout", "120"});
  EXPECT_THAT(reported.run.out, testing::HasSubstr("Slab:"));
  EXPECT_THAT(reported.run.out, testing::EndsWith("equal\n")) << reported.run.describe();
  EXPECT_GE(reported.outcome.counters.at("forks"), 4u * static_cast<unsigned>(cycles));
}

}  // namespace
