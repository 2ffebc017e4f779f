// Integration: --publish and --connect. A guest's servers and clients with peers on the host, in
// both monitors: bytes, ends, resets, refusals, and what is left afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <thread>

#include "tests/support/tool.h"

namespace {

using support::ToolRun;
using testing::HasSubstr;
using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A socket of the host's that is closed at the end.
class HostSocket {
 public:
  HostSocket() : HostSocket(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit HostSocket(int fd) : fd_(fd) {
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  HostSocket(HostSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  HostSocket& operator=(HostSocket&&) = delete;
  ~HostSocket() { close(); }

  [[nodiscard]] int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void reset() {
    const linger at_once{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  /// A port of the host's choice.
  std::uint16_t listen() const {
    sockaddr_in here = loopback(0);
    socklen_t bytes = sizeof here;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&here), bytes), 0);
    EXPECT_EQ(::listen(fd_, 128), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&here), &bytes);
    return ntohs(here.sin_port);
  }
  [[nodiscard]] HostSocket accept() const { return HostSocket(::accept(fd_, nullptr, nullptr)); }
  [[nodiscard]] bool connect(std::uint16_t port) const {
    const sockaddr_in there = loopback(port);
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0;
  }
  void send(const std::string& text) const {
    ASSERT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  void end() const { shutdown(fd_, SHUT_WR); }
  /// To the end, or an error.
  [[nodiscard]] std::string read_all() const {
    std::string text;
    static thread_local char buffer[65536];
    ssize_t got = 0;
    while ((got = ::read(fd_, buffer, sizeof buffer)) > 0)
      text.append(buffer, static_cast<std::size_t>(got));
    return text;
  }

 private:
  int fd_;
};

/// One that nobody has at the moment.
std::uint16_t free_port() {
  return HostSocket().listen();
}

/// Until somebody in the guest listens.
HostSocket connected_to(std::uint16_t port) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < until) {
    HostSocket made;
    if (made.connect(port)) return made;
    std::this_thread::sleep_for(5ms);
  }
  ADD_FAILURE() << "nobody listens at " << port;
  return {};
}

class Outside : public testing::TestWithParam<std::string> {
 protected:
  static std::future<ToolRun> start(const std::vector<std::string>& words,
                                    std::vector<std::string> more) {
    std::vector<std::string> program = {"/outside"};
    program.insert(program.end(), words.begin(), words.end());
    more.insert(more.end(), {"--timeout", "60", "--memory", "128M", "--add",
                             support::program("outside_program") + ":/outside"});
    return std::async(std::launch::async, [place = GetParam(), program, more] {
      return support::exec(place, program, more);
    });
  }
  /// A server in the guest at port 80, published at `port`.
  static std::future<ToolRun> serve(std::uint16_t port, const std::vector<std::string>& words) {
    return start(words, {"--publish", std::to_string(port) + ":80"});
  }
};

INSTANTIATE_TEST_SUITE_P(Places, Outside,
                         testing::Values("extended", "extended:trap=sigsys,protect=none",
                                         "extended:protect=mmap,spaces=remap", "baseline"),
                         [](const auto& info) { return support::test_name(info.param); });

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < bytes; ++at) text[at] = static_cast<char>(at * 7 + at / 251);
  return text;
}

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
  const HostSocket client = connected_to(port);
  EXPECT_EQ(guest.get().out, "came\n");
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
