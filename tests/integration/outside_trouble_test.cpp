// Integration: guests that reach the outside, and what either side lacks: descriptors, memory, an
// address of the other's family, a peer that stays.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/integration/outside_fixture.h"

namespace {

using namespace outside_test;
using support::ToolRun;
using namespace std::chrono_literals;

using OutsideTrouble = OutsideTest;

INSTANTIATE_TEST_SUITE_P(Places, OutsideTrouble, testing::Values("extended", "baseline"),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(OutsideTrouble, IPv6BothWays) {
  const std::uint16_t port = free_port();
  auto echo =
      start({"echo", "80", "1", "::"}, {"--publish", "[::1]:" + std::to_string(port) + ":80"});
  const HostSocket client = connected_to(port, HostSocket::v6);
  client.send("six");
  client.end();
  EXPECT_EQ(client.read_all(), "six");
  EXPECT_EQ(echo.get().out, "echoed 3\n");

  const HostSocket server = HostSocket::v6();
  const std::string number = std::to_string(server.listen());
  auto greet = start({"greet", "::1", number}, {"--connect", "[::1]:" + number});
  const HostSocket connection = server.accept();
  EXPECT_EQ(connection.read_all(), "hello");
  connection.send("welcome");
  connection.end();
  EXPECT_EQ(greet.get().out, "welcome\nend\n");
}

TEST_P(OutsideTrouble, APeerOfAnotherFamilyIsNoAddressOfThisOne) {
  for (const auto& [listens, seen] :
       {std::pair{"0.0.0.0", "0.0.0.0\n0.0.0.0\n"}, std::pair{"::", "::1\n::1\n"}}) {
    const std::uint16_t port = free_port();
    auto guest =
        start({"name", "80", listens}, {"--publish", "[::1]:" + std::to_string(port) + ":80"});
    const HostSocket client = connected_to(port, HostSocket::v6);
    EXPECT_EQ(guest.get().out, seen);
  }
  const std::uint16_t port = free_port();
  auto guest = serve(port, {"name", "80", "::"});
  const HostSocket client = connected_to(port);
  EXPECT_EQ(guest.get().out, "::ffff:127.0.0.1\n::ffff:127.0.0.1\n");
}

TEST_P(OutsideTrouble, WhatCameBeforeAResetIsRead) {
  const std::uint16_t port = free_port();
  auto guest = serve(port, {"push", "80"});
  HostSocket client = connected_to(port);
  client.send(pattern(20'000));
  EXPECT_NE(guest.wait_for(300ms), std::future_status::ready) << "it waits for room";
  client.close();  // with much unread: a reset
  EXPECT_EQ(guest.get().out, "send: ECONNRESET\nread 20000\n");
}

TEST_P(OutsideTrouble, BytesThatWaitForTheGuestsMemoryComeWhenThereIsSome) {
  const std::uint16_t port = free_port();
  auto guest = serve(port, {"crowd", "80"});
  const HostSocket client = connected_to(port);
  char full[4];
  ASSERT_EQ(recv(client.fd(), full, sizeof full, MSG_WAITALL), 4);
  client.send(pattern(1'000'000));
  client.end();
  EXPECT_EQ(guest.get().out, "read 1000000\n");
}

TEST_P(OutsideTrouble, ConnectionsByWhichNothingComesTakeLittleMemory) {
  const std::uint16_t port = free_port();
  constexpr int connections = 450;
  auto guest = serve(port, {"hold", "80", std::to_string(connections)});
  std::vector<HostSocket> clients;
  for (int i = 0; i < connections && !HasFailure(); ++i) clients.push_back(connected_to(port));
  const ToolRun run = guest.get();
  EXPECT_EQ(run.out, "there is room\n") << run.describe();
}

TEST_P(OutsideTrouble, AConnectionForWhichTheHostLacksADescriptorComesLater) {
  const std::uint16_t port = free_port();
  int output[2];
  ASSERT_EQ(pipe2(output, O_CLOEXEC), 0);
  const pid_t tool = support::start_tool(
      {"exec", "--on", GetParam(), "--timeout", "60", "--memory", "64M", "--publish",
       std::to_string(port) + ":80", "--add", support::program("outside_program") + ":/outside",
       "--", "/outside", "echo", "80", "2"},
      output[1]);
  close(output[1]);
  const auto echo_of = [&](const HostSocket& client) {
    client.send("x");
    client.end();
    return client.read_all();
  };
  EXPECT_EQ(echo_of(connected_to(port)), "x");
  rlimit before{};
  ASSERT_EQ(prlimit(tool, RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(prlimit(tool, RLIMIT_NOFILE, &none, nullptr), 0);
  const HostSocket client = connected_to(port);
  std::this_thread::sleep_for(200ms);
  EXPECT_NE(client.fd(), -1);
  ASSERT_EQ(prlimit(tool, RLIMIT_NOFILE, &before, nullptr), 0);
  EXPECT_EQ(echo_of(client), "x");
  int status = -1;
  waitpid(tool, &status, 0);
  EXPECT_EQ(status, 0);
  close(output[0]);
}

}  // namespace
