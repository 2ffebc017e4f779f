// Integration: --publish and --connect. A guest's servers and clients with peers on the host, in
// both monitors: bytes, ends, resets, refusals, and what is left afterwards.
#include <gmock/gmock.h>

#include "tests/integration/outside_fixture.h"

namespace {

using namespace outside_test;
using support::ToolRun;
using testing::HasSubstr;
using namespace std::chrono_literals;

using Outside = OutsideTest;
INSTANTIATE_TEST_SUITE_P(Places, Outside,
                         testing::Values("extended", "extended:trap=sigsys,protect=none",
                                         "extended:protect=mmap,spaces=remap", "baseline"),
                         [](const auto& info) { return support::test_name(info.param); });

TEST_P(Outside, AServerAnswersTheHost) {
  const std::uint16_t port = free_port();
  auto guest = serve(port, {"echo", "80", "3"});
  std::size_t total = 0;
  for (std::size_t bytes : {std::size_t{5}, std::size_t{0}, std::size_t{300'000}}) {
    const HostSocket client = connected_to(port);
    const std::string sent = pattern(bytes);
    std::thread sender([&] {
      client.send(sent);
      client.end();
    });
    EXPECT_TRUE(client.read_all() == sent) << bytes;
    sender.join();
    total += bytes;
  }
  const ToolRun run = guest.get();
  EXPECT_EQ(run.out, "echoed " + std::to_string(total) + "\n") << run.describe();
  EXPECT_EQ(run.status, 0);
  EXPECT_FALSE(HostSocket().connect(port)) << "it outlives the guest";
}

TEST_P(Outside, AllThatWasSentArrivesThoughTheGuestHasEnded) {
  const std::uint16_t port = free_port();
  constexpr std::size_t bytes = 10'000'000;
  auto guest = serve(port, {"give", "80", std::to_string(bytes)});
  EXPECT_TRUE(connected_to(port).read_all() == pattern(bytes));
  EXPECT_EQ(guest.get().out, "gave " + std::to_string(bytes) + "\n");
}

TEST_P(Outside, APeerThatReadsNothingDoesNotKeepTheGuest) {
  const std::uint16_t port = free_port();
  auto guest = serve(port, {"flood", "80"});
  const HostSocket client = connected_to(port);
  ASSERT_EQ(guest.wait_for(20s), std::future_status::ready);
  const ToolRun run = guest.get();
  EXPECT_EQ(run.out, "full\n") << run.describe();
  EXPECT_EQ(run.status, 0);
}

TEST_P(Outside, APeerThatVanishesIsTheSendersError) {
  const std::uint16_t port = free_port();
  auto guest = serve(port, {"give", "80", "100000000"});
  HostSocket client = connected_to(port);
  EXPECT_NE(guest.wait_for(500ms), std::future_status::ready) << "it waits for room";
  client.reset();
  ASSERT_EQ(guest.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(guest.get().out, "send: ECONNRESET\n");
}

TEST_P(Outside, AResetIsTheGuestsError) {
  const std::uint16_t port = free_port();
  auto guest = serve(port, {"echo", "80", "2"});
  HostSocket client = connected_to(port);
  client.send("x");
  char byte;
  ASSERT_EQ(read(client.fd(), &byte, 1), 1);
  client.reset();
  HostSocket second = connected_to(port);
  second.end();
  EXPECT_EQ(second.read_all(), "");
  EXPECT_EQ(guest.get().out, "read: ECONNRESET\nechoed 1\n");
}

TEST_P(Outside, ResetsAtEveryPointLeaveTheServerServing) {
  const std::uint16_t port = free_port();
  constexpr int resets = 20;
  auto guest = serve(port, {"echo", "80", std::to_string(resets + 1)});
  for (int i = 0; i < resets && !HasFailure(); ++i) {
    HostSocket client = connected_to(port);
    if (i % 4 > 0) client.send(pattern(static_cast<std::size_t>(i) * 1000));
    if (i % 4 > 1) client.end();
    if (i % 4 > 2) std::this_thread::sleep_for(1ms);
    client.reset();
  }
  ASSERT_FALSE(HasFailure());
  const HostSocket last = connected_to(port);
  last.send("last");
  last.end();
  EXPECT_EQ(last.read_all(), "last");
  last.end();
  guest.wait_for(2s);
  // A connection that was reset before it was accepted may never have been the guest's.
  while (guest.wait_for(0s) != std::future_status::ready) {
    HostSocket more;
    if (more.connect(port)) more.end();
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(guest.get().status, 0);
}

TEST_P(Outside, AGuestThatComputesIsInterrupted) {
  const std::uint16_t port = free_port();
  auto guest = serve(port, {"busy", "80"});
  come_twice(port);
  EXPECT_EQ(guest.get().out, "computes\ncame\n");
}

TEST_P(Outside, AClientConnectsWhereItMay) {
  const HostSocket server;
  const std::uint16_t port = server.listen();
  const std::string number = std::to_string(port);
  auto guest = start({"greet", "127.0.0.1", number}, {"--connect", "127.0.0.1:" + number});
  const HostSocket connection = server.accept();
  EXPECT_EQ(connection.read_all(), "hello");
  connection.send("welcome");
  connection.end();
  EXPECT_EQ(guest.get().out, "welcome\nend\n");
}

TEST_P(Outside, ElsewhereItIsRefusedByTheNameOfTheRule) {
  const ToolRun run =
      start({"greet", "192.0.2.1", "80"}, {"--connect", "192.0.2.2:80,192.0.2.1:81"}).get();
  EXPECT_EQ(run.out, "connect: EACCES\n");
  EXPECT_THAT(run.err,
              HasSubstr("typetwo: the guest may not connect to 192.0.2.1:80: --connect allows "
                        "192.0.2.2:80, 192.0.2.1:81; add --connect 192.0.2.1:80\n"));
}

TEST_P(Outside, WhereNobodyListensItIsRefused) {
  const std::string number = std::to_string(free_port());
  const ToolRun run =
      start({"greet", "127.0.0.1", number}, {"--connect", "127.0.0.1:" + number}).get();
  EXPECT_EQ(run.out, "connect: ECONNREFUSED\n") << run.describe();
}

TEST_P(Outside, EndsRunOutWithAnErrno) {
  const HostSocket server;
  const std::string number = std::to_string(server.listen());
  std::atomic<bool> done = false;
  std::thread accepting([&] {
    std::vector<HostSocket> taken;
    while (!done) taken.push_back(server.accept());
  });
  const ToolRun run =
      start({"many", "127.0.0.1", number}, {"--connect", "127.0.0.1:" + number}).get();
  done = true;
  EXPECT_TRUE(HostSocket().connect(static_cast<std::uint16_t>(std::stoi(number))));
  accepting.join();
  EXPECT_EQ(run.out, "connect: ENFILE\nover 100: 1\n") << run.describe();
}

// -- Before the start.

TEST(OutsideOptions, APortThatIsTakenIsOneLine) {
  const HostSocket other;
  const std::string port = std::to_string(other.listen());
  for (const char* place : {"extended", "baseline"}) {
    const ToolRun run = support::exec(place, {"/bin/busybox", "true"}, {"--publish", port + ":80"});
    EXPECT_EQ(run.status, 125);
    EXPECT_EQ(run.err, "typetwo exec: --publish " + port + ":80: cannot have 127.0.0.1:" + port +
                           ": Address already in use; choose another HOSTPORT, or end what has "
                           "it\n");
  }
}

TEST(OutsideOptions, WrongWordsAreRefused) {
  const struct {
    const char *option, *words, *line;
  } cases[] = {
      {"--publish", "80", "is not of the form [ADDRESS:]HOSTPORT:GUESTPORT"},
      {"--publish", "0:80", "'0' is no port; ports are 1 to 65535"},
      {"--publish", "80:65536", "'65536' is no port"},
      {"--publish", "80:x", "'x' is no port"},
      {"--connect", "80", "is not of the form HOST:PORT"},
      {"--connect", "localhost:80,", "is not of the form HOST:PORT"},
      {"--connect", "no-such-host.invalid:80", "the host knows no 'no-such-host.invalid'"},
  };
  for (const auto& [option, words, line] : cases) {
    const ToolRun run = support::exec("extended", {"/bin/busybox", "true"}, {option, words});
    EXPECT_EQ(run.status, 2) << words;
    EXPECT_THAT(run.err, HasSubstr(line));
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
  const ToolRun standalone =
      support::exec("standalone", {"/bin/busybox", "true"}, {"--publish", "8080:80"});
  EXPECT_EQ(standalone.status, 2);
  EXPECT_THAT(standalone.err, HasSubstr("--publish is for guests"));
}

}  // namespace
