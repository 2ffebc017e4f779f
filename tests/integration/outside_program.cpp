// A guest program that talks to the outside: a server or a client, by its arguments. Says on stdout
// how it went; errors by name.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

int failed(const char* what) {
  std::printf("%s: %s\n", what, strerrorname_np(errno));
  return 1;
}

/// An IPv4 or IPv6 address, and a socket for it.
struct Place {
  Place(const char* ip, int port) {
    const auto number = htons(static_cast<std::uint16_t>(port));
    if (inet_pton(AF_INET6, ip, &six.sin6_addr) == 1) {
      six.sin6_family = AF_INET6;
      six.sin6_port = number;
    } else {
      inet_pton(AF_INET, ip, &four.sin_addr);
      four.sin_family = AF_INET;
      four.sin_port = number;
      bytes = sizeof four;
    }
    fd = socket(any.sa_family, SOCK_STREAM, 0);
  }
  union {
    sockaddr any;
    sockaddr_in four;
    sockaddr_in6 six = {};
  };
  socklen_t bytes = sizeof six;
  int fd;
};

/// `flags`: its status from before anybody may come.
int listening(int port, const char* ip = "0.0.0.0", int flags = 0) {
  const Place here(ip, port);
  if (bind(here.fd, &here.any, here.bytes) != 0 || fcntl(here.fd, F_SETOWN, getpid()) != 0 ||
      fcntl(here.fd, F_SETFL, flags) != 0 || listen(here.fd, 128) != 0) {
    failed("listen");
    std::exit(1);
  }
  return here.fd;
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
int echo(int port, int connections, const char* ip) {
  const int server = listening(port, ip);
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
  const Place there(ip, port);
  const int fd = there.fd;
  if (connect(fd, &there.any, there.bytes) != 0) return failed("connect");
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
    const Place there(ip, port);
    if (there.fd < 0) return failed("socket");
    if (connect(there.fd, &there.any, there.bytes) == 0) continue;
    std::printf("connect: %s\n", strerrorname_np(errno));
    break;
  }
  std::printf("over 100: %d\n", count > 100);
  return 0;
}

volatile sig_atomic_t came = 0;

/// A server that says a word to the first client and computes then, without a system call, until a
/// signal says that another one has come.
int busy(int port) {
  signal(SIGIO, [](int) { came = 1; });
  const int fd = accept(listening(port, "0.0.0.0", O_ASYNC), nullptr, nullptr);
  came = 0;
  std::puts("computes");
  if (!send_all(fd, "go", 2)) return failed("send");
  while (!came) {
  }
  std::puts("came");
  return 0;
}

/// How the first client's address and the server's own are seen.
int name(int port, const char* ip) {
  const int fd = accept(listening(port, ip), nullptr, nullptr);
  for (auto* ask : {getpeername, getsockname}) {
    union {
      sockaddr any;
      sockaddr_in four;
      sockaddr_in6 six;
    } seen;
    socklen_t bytes = sizeof seen;
    if (ask(fd, &seen.any, &bytes) != 0) return failed("name");
    char text[INET6_ADDRSTRLEN];
    const bool is4 = seen.any.sa_family == AF_INET;
    std::puts(inet_ntop(seen.any.sa_family,
                        is4 ? static_cast<void*>(&seen.four.sin_addr) : &seen.six.sin6_addr, text,
                        sizeof text));
  }
  return 0;
}

std::size_t read_to_end(int fd) {
  static char buffer[65536];
  std::size_t total = 0;
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;)
    total += static_cast<std::size_t>(got);
  return total;
}

/// Sends to the first client until that fails, and reads then.
int push(int port) {
  const int fd = accept(listening(port), nullptr, nullptr);
  static const char buffer[65536] = {};
  while (send_all(fd, buffer, sizeof buffer)) {
  }
  failed("send");
  std::printf("read %zu\n", read_to_end(fd));
  return 0;
}

/// While all memory that sockets may have is in others: says so to the first client, and lets go of
/// it a moment later.
int crowd(int port) {
  const int fd = accept(listening(port), nullptr, nullptr);
  static const char block[4096] = {};
  int held[2000], count = 0;
  errno = 0;
  while (errno != ENOBUFS && count + 2 <= 1000 &&
         socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, held + count) == 0) {
    while (write(held[count], block, sizeof block) > 0) {
    }
    count += 2;
  }
  if (errno != ENOBUFS || write(fd, "full", 4) != 4) return failed("crowd");
  usleep(200'000);
  while (count) close(held[--count]);
  std::printf("read %zu\n", read_to_end(fd));
  return 0;
}

/// So many connections that nothing comes by, and half of memory beside them.
int hold(int port, int connections) {
  const int server = listening(port);
  for (int i = 0; i < connections; ++i)
    if (accept(server, nullptr, nullptr) < 0) return failed("accept");
  constexpr std::size_t much = 64 << 20;
  auto* memory = static_cast<char*>(malloc(much));
  for (std::size_t at = 0; at < much; at += 4096) memory[at] = 1;
  std::puts("there is room");
  return 0;
}

}  // namespace

int main(int count, char** words) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  if (count < 3) return 2;
  const char* what = words[1];
  if (std::strcmp(what, "echo") == 0)
    return echo(std::atoi(words[2]), std::atoi(words[3]), count > 4 ? words[4] : "0.0.0.0");
  if (std::strcmp(what, "give") == 0)
    return give(std::atoi(words[2]), std::strtoul(words[3], nullptr, 10));
  if (std::strcmp(what, "flood") == 0) return flood(std::atoi(words[2]));
  if (std::strcmp(what, "greet") == 0) return greet(words[2], std::atoi(words[3]));
  if (std::strcmp(what, "many") == 0) return many(words[2], std::atoi(words[3]));
  if (std::strcmp(what, "busy") == 0) return busy(std::atoi(words[2]));
  if (std::strcmp(what, "name") == 0) return name(std::atoi(words[2]), words[3]);
  if (std::strcmp(what, "push") == 0) return push(std::atoi(words[2]));
  if (std::strcmp(what, "crowd") == 0) return crowd(std::atoi(words[2]));
  if (std::strcmp(what, "hold") == 0) return hold(std::atoi(words[2]), std::atoi(words[3]));
  return 2;
}
