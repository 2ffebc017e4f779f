// Clients on the host: beside launches, right and wrong.
#include "workloads/harness/client.h"

#include <csignal>

#include "tests/unit/host/harness_fixture.h"

namespace harness {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Harness, AClientRunsBesideEachLaunchAndItsOutputIsChecked) {
  run_changed([](Workload& workload) {
    workload.client = {"sh", "-c", "[ {port} -gt 1023 ] && echo client of {count}"};
    workload.check.exact = "null-syscall {operations}\nclient of {count}\n";
  });
  EXPECT_EQ(file().launches.size(), 2u + 2 * 3u);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(Harness, AClientThatFailsSpoilsTheLaunch) {
  run_changed([](Workload& workload) { workload.client = {"sh", "-c", "echo who >&2; exit 3"}; });
  EXPECT_THAT(problems(), Each(std::string("client on the host: exit status 3 (who)")));
  EXPECT_EQ(problems().size(), file().launches.size());
}

TEST_F(Harness, AClientThatIsNotThereSpoilsTheLaunch) {
  run_changed([](Workload& workload) { workload.client = {"no-such-client"}; });
  EXPECT_THAT(problems(), Each(HasSubstr("no-such-client")));
}

TEST_F(Harness, AClientOfAFailedLaunchEndsWithIt) {
  executor_.change = [](const machines::Request&, LaunchResult& result) { result.status = 7; };
  run_changed([](Workload& workload) { workload.client = {"sleep", "1000"}; });
  EXPECT_THAT(problems(), Each(std::string("exit status 7")));
}

TEST_F(Harness, AGuestMayReachItsClientAndStandaloneNeedsNoLeave) {
  run_changed([](Workload& workload) {
    workload.client = {"true"};
    workload.connect = {"127.0.0.1:{port}"};
    workload.publish = {"{port}:80"};
  });
  for (const machines::Request& request : executor_.requests) {
    EXPECT_EQ(request.outside.empty(), !request.on.is_guest());
    if (request.outside.empty()) continue;
    EXPECT_EQ(request.outside.connect.at(0).endpoints.at(0).port,
              request.outside.publish.at(0).host.port);
    EXPECT_EQ(request.outside.publish.at(0).guest_port, 80);
  }
}

TEST(HostClient, IsNotWaitedForForever) {
  LaunchResult right;
  Client({"sleep", "1000"}).end(right);
  EXPECT_THAT(right.client_problem, HasSubstr("still running"));
}

// Whoever started us may ignore SIGCHLD, and then no status is left to wait for.
TEST(HostClient, EndsThoughNobodyKeepsItsStatus) {
  const auto before = signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(image::run_program({"true"}).status, 0);
  signal(SIGCHLD, before);
}

}  // namespace
}  // namespace harness
