// Integration: sockets, messages and connections without end. The kernel says an errno, and goes on
// when whoever did it is gone; nothing that he had remains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/tool.h"

namespace {

using support::ToolRun;
using testing::HasSubstr;

/// Three times, each of which must come as far as the first.
ToolRun flood(const std::string& what, const std::string& memory) {
  const std::string once = "/floods " + what + "; ";
  return support::exec("extended", {"/bin/busybox", "sh", "-c", once + once + once + "echo end"},
                       {"--memory", memory, "--timeout", "100", "--add",
                        support::program("socket_floods") + ":/floods"});
}

TEST(SocketFloods, EndAtTwoThousandSockets) {
  const ToolRun run = flood("sockets", "1G");
  const std::string once = "pairs 1000\nover: ENFILE\nworks 1\n";
  EXPECT_EQ(run.out, once + once + once + "end\n") << run.describe();
}

TEST(SocketFloods, OfDescriptorsInTheirOwnQueuesAreCollected) {
  const ToolRun run = flood("rights", "128M");
  EXPECT_THAT(run.out, HasSubstr("works 1\nend\n")) << run.describe();
  EXPECT_THAT(run.out, testing::Not(HasSubstr("works 0")));
}

TEST(SocketFloods, OfBytesEndWithAnErrno) {
  for (const char* memory : {"64M", "1G"}) {
    const ToolRun run = flood("bytes", memory);
    EXPECT_THAT(run.out, HasSubstr("works 1\nend\n")) << memory << run.describe();
    EXPECT_THAT(run.out, testing::Not(HasSubstr("works 0"))) << memory;
  }
}

TEST(SocketFloods, OfConnectionsThatNobodyAccepts) {
  const ToolRun run = flood("halves", "256M");
  EXPECT_THAT(run.out, HasSubstr("over: ENFILE\nworks 1\nend\n")) << run.describe();
  EXPECT_THAT(run.out, testing::Not(HasSubstr("works 0")));
}

}  // namespace
