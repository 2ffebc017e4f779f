// Peers on the host of guests that reach the outside, and how such guests are started.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/tool.h"

namespace outside_test {

/// A socket of the host's loopback that is closed at the end.
class HostSocket {
 public:
  HostSocket() : HostSocket(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  static HostSocket v6() { return HostSocket(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
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
    Address here = loopback(0);
    EXPECT_EQ(bind(fd_, &here.any, here.bytes), 0);
    EXPECT_EQ(::listen(fd_, 128), 0);
    getsockname(fd_, &here.any, &here.bytes);
    return ntohs(here.four.sin_port);
  }
  [[nodiscard]] HostSocket accept() const { return HostSocket(::accept(fd_, nullptr, nullptr)); }
  [[nodiscard]] bool connect(std::uint16_t port) const {
    const Address there = loopback(port);
    return ::connect(fd_, &there.any, there.bytes) == 0;
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
  struct Address {
    union {
      sockaddr any;
      sockaddr_in four;
      sockaddr_in6 six;
    };
    socklen_t bytes;
  };
  [[nodiscard]] Address loopback(std::uint16_t port) const {
    Address made{};
    made.bytes = sizeof made.six;
    getsockname(fd_, &made.any, &made.bytes);
    made.four.sin_port = htons(port);  // at the same place in both
    if (made.any.sa_family == AF_INET)
      made.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
      made.six.sin6_addr = in6addr_loopback;
    return made;
  }
  int fd_;
};

/// One that nobody has at the moment.
inline std::uint16_t free_port() {
  return HostSocket().listen();
}

/// Until somebody in the guest listens.
inline HostSocket connected_to(
    std::uint16_t port, HostSocket (*make)() = [] { return HostSocket(); }) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < until) {
    HostSocket made = make();
    if (made.connect(port)) return made;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ADD_FAILURE() << "nobody listens at " << port;
  return {};
}

class OutsideTest : public testing::TestWithParam<std::string> {
 protected:
  static std::future<support::ToolRun> start(const std::vector<std::string>& words,
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
  static std::future<support::ToolRun> serve(std::uint16_t port,
                                             const std::vector<std::string>& words) {
    return start(words, {"--publish", std::to_string(port) + ":80"});
  }
};

/// The other side of a guest that computes meanwhile.
inline void come_twice(std::uint16_t port) {
  const HostSocket first = connected_to(port);
  char word[2];
  EXPECT_EQ(recv(first.fd(), word, sizeof word, MSG_WAITALL), 2);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(HostSocket().connect(port));
}

inline std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < bytes; ++at) text[at] = static_cast<char>(at * 7 + at / 251);
  return text;
}

}  // namespace outside_test
