// See gdb_connection.h. The socket loses nothing, so no packet is ever sent twice.
#include "monitor/gdb/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <numeric>

#include "monitor/tool/error.h"
#include "monitor/tool/message.h"

namespace monitor {
namespace {

constexpr char interrupt_byte = 3;

unsigned checksum(std::string_view text) {
  return std::accumulate(text.begin(), text.end(), 0u,
                         [](unsigned sum, char c) { return sum + static_cast<unsigned char>(c); }) &
         0xff;
}

/// A killed run's: a socket at which nobody listens.
void remove_stale(const std::string& path, const sockaddr_un& name) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 &&
      errno == ECONNREFUSED)
    unlink(path.c_str());
  ::close(probe);
}

/// While one lives, the signals that end the tool wait.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &before_);
    fd_ = signalfd(-1, &held, SFD_CLOEXEC);
  }
  ~HeldSignals() {
    ::close(fd_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  /// Readable when one waits.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  sigset_t before_;
  int fd_;
};

/// False: a signal came first.
bool wait_for_gdb(int listener, const HeldSignals& signals) {
  pollfd awaited[] = {{listener, POLLIN, 0}, {signals.fd(), POLLIN, 0}};
  while (poll(awaited, std::size(awaited), -1) < 0 && errno == EINTR) {
  }
  return awaited[1].revents == 0;
}

/// Whatever ends the wait, its name is gone then; a signal takes effect only after that.
int accept_one(const std::string& path) {
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof name.sun_path)
    throw HostError("--debug: the socket's path is too long");
  std::memcpy(name.sun_path, path.data(), path.size());
  remove_stale(path, name);
  const HeldSignals signals;
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int connected = -1;
  if (listener >= 0 && bind(listener, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0) {
    if (listen(listener, 1) == 0) {
      say("waiting for gdb at {}: see docs/debugging.md; Ctrl-C ends it\n", path);
      errno = EINTR;
      if (wait_for_gdb(listener, signals))
        connected = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    }
    const int saved = errno;
    unlink(path.c_str());
    errno = saved;
  }
  const int saved = errno;
  ::close(listener);
  errno = saved;
  if (connected < 0)
    throw_errno("cannot wait for gdb at " + path, "name a file that does not exist");
  return connected;
}

}  // namespace

GdbConnection::GdbConnection(const std::string& path) : fd_(accept_one(path)) {}

void GdbConnection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int GdbConnection::byte() {
  char c;
  ssize_t got;
  do got = recv(fd_, &c, 1, 0);
  while (got < 0 && errno == EINTR);
  return got == 1 ? static_cast<unsigned char>(c) : -1;
}

void GdbConnection::send_last(std::string_view text) {
  if (fd_ < 0) return;
  send(text);
  constexpr int patience_ms = 1000;
  pollfd answered{fd_, POLLIN, 0};
  poll(&answered, 1, patience_ms);
  close();
}

std::optional<std::string> GdbConnection::receive() {
  int c;
  do c = byte();  // skips '+', and a Ctrl-C that came when the guest had stopped by itself
  while (c >= 0 && c != '$');
  std::string text;
  while (c >= 0 && (c = byte()) >= 0 && c != '#') text.push_back(static_cast<char>(c));
  byte();  // the checksum: as reliable as the socket
  if (byte() < 0) {
    close();
    return std::nullopt;
  }
  send_raw("+");
  return text;
}

void GdbConnection::send(std::string_view text) {
  send_raw(fmt::format("${}#{:02x}", text, checksum(text)));
}

void GdbConnection::send_raw(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;  // gone: the next receive says so
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool GdbConnection::interrupted() {
  char c = 0;
  while (recv(fd_, &c, 1, MSG_DONTWAIT) == 1)
    if (c == interrupt_byte) return true;
  return false;
}

}  // namespace monitor
