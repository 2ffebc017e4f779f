// A guest program that talks to the outside: a server or a client, by its arguments. Says on stdout
// how it went; errors by name.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

int failed(const char* what) {
  std::printf("%s: %s\n", what, strerrorname_np(errno));
  return 1;
}

sockaddr_in address(const char* ip, int port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, ip, &made.sin_addr);
  return made;
}

int listening(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in here = address("0.0.0.0", port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 || listen(fd, 8) != 0) {
    failed("listen");
    std::exit(1);
  }
  return fd;
}

char pattern(std::size_t at) {
  return static_cast<char>(at * 7 + at / 251);
}

bool send_all(int fd, const char* data, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t sent = send(fd, data + done, bytes - done, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    done += static_cast<std::size_t>(sent);
  }
  return true;
}

/// Each connection's bytes go back until they end.
int echo(int port, int connections) {
  const int server = listening(port);
  static char buffer[65536];
  std::size_t total = 0;
  while (connections-- > 0) {
    const int fd = accept(server, nullptr, nullptr);
    if (fd < 0) return failed("accept");
    ssize_t got = 0;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
      total += static_cast<std::size_t>(got);
      if (send_all(fd, buffer, static_cast<std::size_t>(got))) continue;
      failed("send");  // of this connection
      break;
    }
    if (got < 0) std::printf("read: %s\n", strerrorname_np(errno));
    close(fd);
  }
  std::printf("echoed %zu\n", total);
  return 0;
}

/// The first client gets a pattern of so many bytes.
int give(int port, std::size_t bytes) {
  const int fd = accept(listening(port), nullptr, nullptr);
  static char buffer[65536];
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t piece = bytes - done < sizeof buffer ? bytes - done : sizeof buffer;
    for (std::size_t i = 0; i < piece; ++i) buffer[i] = pattern(done + i);
    if (!send_all(fd, buffer, piece)) return failed("send");
    done += piece;
  }
  std::printf("gave %zu\n", bytes);
  return 0;  // what is on its way is the kernel's
}

/// The first client gets as much as there is room for, and no more.
int flood(int port) {
  const int fd = accept(listening(port), nullptr, nullptr);
  static const char buffer[65536] = {};
  pollfd one{fd, POLLOUT, 0};
  while (poll(&one, 1, 300) > 0)
    if (send(fd, buffer, sizeof buffer, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
      return failed("send");
  std::puts("full");
  return 0;
}

/// Says "hello" and what comes back, to the end.
int greet(const char* ip, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in there = address(ip, port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0)
    return failed("connect");
  if (!send_all(fd, "hello", 5) || shutdown(fd, SHUT_WR) != 0) return failed("send");
  char text[256];
  ssize_t got = 0;
  while ((got = read(fd, text, sizeof text)) > 0)
    std::printf("%.*s\n", static_cast<int>(got), text);
  if (got < 0) return failed("read");
  std::puts("end");
  return 0;
}

/// Connections that stay, as many as there can be.
int many(const char* ip, int port) {
  int count = 0;
  for (; count < 1000; ++count) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in there = address(ip, port);
    if (fd < 0) return failed("socket");
    if (connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0) continue;
    std::printf("connect: %s\n", strerrorname_np(errno));
    break;
  }
  std::printf("over 100: %d\n", count > 100);
  return 0;
}

/// A server that computes meanwhile: accept is polled for, without a sleep.
int busy(int port) {
  const int server = listening(port);
  pollfd one{server, POLLIN, 0};
  unsigned long turns = 0;
  while (poll(&one, 1, 0) == 0)
    for (volatile int i = 0; i < 1000; i = i + 1) ++turns;
  std::printf("came\n");
  return 0;
}

}  // namespace

int main(int count, char** words) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  if (count < 3) return 2;
  const char* what = words[1];
  if (std::strcmp(what, "echo") == 0) return echo(std::atoi(words[2]), std::atoi(words[3]));
  if (std::strcmp(what, "give") == 0)
    return give(std::atoi(words[2]), std::strtoul(words[3], nullptr, 10));
  if (std::strcmp(what, "flood") == 0) return flood(std::atoi(words[2]));
  if (std::strcmp(what, "greet") == 0) return greet(words[2], std::atoi(words[3]));
  if (std::strcmp(what, "many") == 0) return many(words[2], std::atoi(words[3]));
  if (std::strcmp(what, "busy") == 0) return busy(std::atoi(words[2]));
  return 2;
}
