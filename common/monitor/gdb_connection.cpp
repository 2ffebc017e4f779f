// See gdb_connection.h. The socket loses nothing, so no packet is ever sent twice.
#include "monitor/gdb_connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <numeric>

#include "monitor/error.h"

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

int accept_one(const std::string& path) {
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof name.sun_path)
    throw HostError("--debug: the socket's path is too long");
  std::memcpy(name.sun_path, path.data(), path.size());
  remove_stale(path, name);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int connected = -1;
  if (listener >= 0 && bind(listener, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0) {
    if (listen(listener, 1) == 0) connected = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
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
