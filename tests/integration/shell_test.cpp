// Integration: Debian's busybox in a guest, from a shell loop to pipelines, with the output and the
// status that the host gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/tool.h"

namespace {

using support::ToolRun;
using testing::HasSubstr;

class Shell : public testing::TestWithParam<std::string> {
 protected:
  static ToolRun sh(const std::string& script, const std::string& place = GetParam()) {
    return support::exec(place, {"/bin/busybox", "sh", "-c", script},
                         {"--memory", "64M", "--timeout", "100"});
  }
  /// The script must do here what it does natively.
  static void same_as_natively(const std::string& script) {
    const ToolRun oracle = sh(script, "standalone"), guest = sh(script);
    EXPECT_EQ(guest.status, oracle.status) << guest.describe();
    EXPECT_EQ(guest.out, oracle.out);
    EXPECT_EQ(guest.err, oracle.err);
  }
};

INSTANTIATE_TEST_SUITE_P(Everywhere, Shell, testing::ValuesIn(support::places()),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(Shell, RunsTheLoopOfTheFirstPage) {
  const ToolRun run = sh("for i in 1 2 3; do echo $i | cat; done; exit 7");
  EXPECT_EQ(run.status, 7) << run.describe();
  EXPECT_EQ(run.out, "1\n2\n3\n");
  EXPECT_EQ(run.err, "");
}

TEST_P(Shell, ReportsSignalsAs128PlusTheirNumber) {
  EXPECT_EQ(sh("kill -9 $$").status, 137);
  EXPECT_EQ(sh("kill -TERM $$").status, 143);
  EXPECT_EQ(sh("kill -SEGV $$").status, 139);
  EXPECT_EQ(sh("exit 255").status, 255);
  EXPECT_EQ(sh("sh -c 'kill -9 $$'; echo status $?").out, "status 137\n");
}

TEST_P(Shell, RunsPipelines) {
  same_as_natively(
      "i=0; while [ $i -lt 200 ]; do echo line $((i * 7 % 31)) $i; i=$((i + 1)); done |"
      "sort -n -k2 | uniq -c | awk '{ s += $1 * $3 } END { print s, NR }'");
  same_as_natively("seq 1 3000 | tr 0-9 a-j | sort -r | head -n 5 | md5sum");
  same_as_natively("yes | head -n 20000 | wc -c");
  same_as_natively("false | true; echo $?; ! true; echo $?");
}

TEST_P(Shell, WorksOnFiles) {
  same_as_natively(
      "cd /tmp && mkdir -p a/b/c && for i in $(seq 30); do echo $i > a/b/f$i; done &&"
      "cp -r a d && mv d/b/f3 d/c && ln -s f1 d/b/l && find d | sort && cat d/b/l d/c &&"
      "rm -r a && ls && tar cf t.tar d && rm -r d && tar xf t.tar && md5sum d/b/* && du -a d | wc "
      "-l");
  same_as_natively(
      "cd /tmp; echo old > f; sed -i s/old/new/ f; cat f; grep -c new f; wc f; stat -c "
      "'%s %a' f; test -x f; echo $?; chmod +x f; test -x f; echo $?");
}

TEST_P(Shell, WorksWithChildrenAndSignals) {
  same_as_natively("trap 'echo trapped' TERM; kill -TERM $$; echo after");
  same_as_natively("sleep 100 & kill $!; wait $! 2>/dev/null; echo $?");
  same_as_natively("for i in 1 2 3 4 5 6 7 8; do (exit $i) & done; wait; echo all");
  same_as_natively("x=$(echo inner; exit 3); echo $? $x");
  same_as_natively("exec 3>/tmp/f; echo three >&3; exec 3>&-; cat /tmp/f");
  same_as_natively("cat <<END | tr a-z A-Z\nhere document\nEND\n");
  same_as_natively("nosuchcommand; echo $?; /tmp; echo $?");
  same_as_natively("ulimit -n >/dev/null; umask; cd /; pwd; set -- a b; echo $# $2");
}

TEST_P(Shell, SeesItsEnvironmentAndNothingElse) {
  const ToolRun run = support::exec(GetParam(), {"/bin/busybox", "env"},
                                    {"--memory", "64M", "--env", "COLOUR=blue", "--env", "EMPTY="});
  EXPECT_EQ(run.status, 0) << run.describe();
  EXPECT_THAT(run.out, testing::AllOf(HasSubstr("COLOUR=blue\n"), HasSubstr("EMPTY=\n"),
                                      testing::Not(HasSubstr("PATH="))));
}

TEST_P(Shell, RunsAppletsByTheirOwnName) {
  const ToolRun run = support::exec(GetParam(), {"/bin/sh", "-c", "echo $0"}, {"--memory", "64M"});
  EXPECT_EQ(run.out, "/bin/sh\n") << run.describe();
}

}  // namespace
