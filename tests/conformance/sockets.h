// What the socket topics share: pairs, messages with ancillary data, and children that wait.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "check.h"

namespace sockets {

struct Pair {
  int a = -1, b = -1;
  explicit Pair(int type = SOCK_STREAM, int family = AF_UNIX) {
    int ends[2];
    if (socketpair(family, type, 0, ends) != 0) return;
    a = ends[0];
    b = ends[1];
  }
};

/// A local address: of a path, or abstract ("@name"). `bytes`: of all of it.
struct LocalName {
  sockaddr_un address = {};
  socklen_t bytes;
  explicit LocalName(const char* name) {
    address.sun_family = AF_UNIX;
    const size_t length = strlen(name);
    memcpy(address.sun_path, name, length);
    bytes = (socklen_t)(offsetof(sockaddr_un, sun_path) + length + 1);
    if (name[0] == '@') {
      address.sun_path[0] = 0;
      --bytes;
    }
  }
  [[nodiscard]] const sockaddr* get() const { return (const sockaddr*)&address; }
};

inline int local_listener(const LocalName& name, int backlog = 5, int type = SOCK_STREAM) {
  int fd = socket(AF_UNIX, type, 0);
  if (bind(fd, name.get(), name.bytes) != 0 || listen(fd, backlog) != 0) return -1;
  return fd;
}

inline short state(int fd) {
  pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0};
  return poll(&one, 1, 0) < 0 ? (short)-1 : one.revents;
}

inline int error_of(int fd) {
  int error = -1;
  socklen_t bytes = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 ? error : -1;
}
inline int option(int fd, int name, int level = SOL_SOCKET) {
  int value = -1;
  socklen_t bytes = sizeof value;
  return getsockopt(fd, level, name, &value, &bytes) == 0 ? value : -1;
}
inline int set_option(int fd, int name, int value, int level = SOL_SOCKET) {
  return setsockopt(fd, level, name, &value, sizeof value);
}

inline long say_to(int fd, const char* text, int flags = 0) {
  return send(fd, text, strlen(text), flags);
}
/// Receives, and compares with `text`.
inline bool hears(int fd, const char* text, int flags = 0) {
  char buffer[256] = {};
  const long got = recv(fd, buffer, sizeof buffer - 1, flags);
  return got == (long)strlen(text) && memcmp(buffer, text, (size_t)got) == 0;
}

/// A message with room for ancillary data.
struct Message {
  char text[64] = {};
  iovec part = {text, sizeof text};
  alignas(cmsghdr) char control[1200] = {};
  msghdr header = {};
  explicit Message(size_t control_bytes = sizeof control) {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = control_bytes;
  }
  Message(const char* bytes, const int* fds, size_t count) : Message(CMSG_SPACE(count * 4)) {
    part.iov_len = strlen(bytes);
    memcpy(text, bytes, part.iov_len);
    if (count == 0) header.msg_controllen = 0;
    if (count == 0) return;
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(count * 4);
    memcpy(CMSG_DATA(first), fds, count * 4);
  }
  /// Descriptors that have come.
  size_t fds(int* to, size_t room) {
    for (cmsghdr* at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at)) {
      if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
      const size_t count = (at->cmsg_len - CMSG_LEN(0)) / 4;
      memcpy(to, CMSG_DATA(at), 4 * (count < room ? count : room));
      return count;
    }
    return 0;
  }
  bool credentials(ucred* to) {
    for (cmsghdr* at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at)) {
      if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_CREDENTIALS) continue;
      memcpy(to, CMSG_DATA(at), sizeof *to);
      return true;
    }
    return false;
  }
};

/// Waits for a child that must end with 0.
inline bool ends_well(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0;
}

}  // namespace sockets
