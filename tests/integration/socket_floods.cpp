// Run as a guest by socket_floods_test.cpp: sockets, messages, descriptors on their way and
// connections, as many as the kernel takes. Prints what it was told at the end, and whether all
// goes on when the flood is over. Each is bounded by counts of its own, so that a kernel without
// limits would be seen, not waited for.
//   socket_floods sockets    pairs, by several processes
//   socket_floods rights     sockets in their own queues, with many descriptors each, and lost
//   socket_floods bytes      queues filled as far as they go
//   socket_floods halves     connections that nobody accepts
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

namespace {

const char* name_of(int error) {
  for (int known : {ENFILE, EMFILE, EAGAIN, ENOBUFS, ENOMEM, ETOOMANYREFS, ECONNREFUSED})
    if (error == known) return strerrorname_np(error);
  return strerror(error);
}

bool pair_works() {
  int ends[2];
  char byte = 0;
  const bool good = socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && write(ends[0], "y", 1) == 1 &&
                    read(ends[1], &byte, 1) == 1 && byte == 'y';
  if (!good) return false;
  close(ends[0]), close(ends[1]);
  return true;
}

int done(const char* what, long count, int error) {
  printf("%s %ld\nover: %s\nworks %d\n", what, count, name_of(error), pair_works());
  return 0;
}

/// Runs `flood` in a child, which returns what it was told and tells how far it came by a pipe;
/// all that it had is gone when it has ended.
template <class Flood>
int in_child(const char* what, Flood flood) {
  int report[2];
  if (pipe(report) != 0) return 2;
  if (fork() == 0) {
    rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_NOFILE, &limit);
    long result[2] = {0, 0};
    result[1] = flood(result[0]);
    _exit(write(report[1], result, sizeof result) != sizeof result);
  }
  long result[2] = {-1, 0};
  int status = -1;
  if (read(report[0], result, sizeof result) != sizeof result || wait(&status) < 0 || status != 0)
    return 1;
  return done(what, result[0], (int)result[1]);
}

int sockets(long& count) {
  for (; count < 10000; ++count) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return errno;
  }
  return 0;
}

long pass(int to, const int* fds, size_t count) {
  alignas(cmsghdr) char control[CMSG_SPACE(253 * 4)];
  char byte = 'x';
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(count * 4);
  cmsghdr* first = CMSG_FIRSTHDR(&message);
  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_RIGHTS;
  first->cmsg_len = CMSG_LEN(count * 4);
  memcpy(CMSG_DATA(first), fds, count * 4);
  return sendmsg(to, &message, MSG_DONTWAIT);
}

// Nothing here is ever received, and nobody can reach it: only a collection frees it.
int rights(long& count) {
  int last = 0;
  for (int turn = 0; turn < 400; ++turn) {
    int ends[2], many[253];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return errno;
    for (int i = 0; i < 253; ++i) many[i] = ends[i % 2];
    for (; count < 1'000'000 && pass(ends[0], many, 253) == 1; ++count) {
    }
    last = errno;
    close(ends[0]), close(ends[1]);
  }
  return last;
}

int bytes(long& count) {
  static char block[4096];
  for (int turn = 0; turn < 3000; ++turn) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) return errno;
    long part = 0;
    while ((part = write(ends[0], block, sizeof block)) > 0) count += part;
    if (errno != EAGAIN) return errno;
  }
  return 0;
}

int halves(long& count) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* any = (sockaddr*)&address;
  if (bind(listener, any, length) != 0 || listen(listener, 100) != 0 ||
      getsockname(listener, any, &length) != 0)
    return errno;
  for (; count < 10000; ++count) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) return errno;
    if (connect(fd, any, length) != 0 && errno != EINPROGRESS) return errno;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (!strcmp(argv[1], "sockets")) return in_child("pairs", sockets);
  if (!strcmp(argv[1], "rights")) return in_child("messages", rights);
  if (!strcmp(argv[1], "bytes")) return in_child("bytes", bytes);
  if (!strcmp(argv[1], "halves")) return in_child("halves", halves);
  return 2;
}
