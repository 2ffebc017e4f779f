// Guest program of closed_streams_test.cpp: which of its descriptors 0, 1 and 2 does it find
// closed, and are they so whatever one asks? Tells by its exit status, as it may have nothing else:
// bit n: descriptor n is closed; bits 4 and up: the number of the next file that is opened.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

namespace {

constexpr int contradictory = 0xff;

bool refused(long result) {
  return result == -1 && errno == EBADF;
}

/// 1: closed, 0: open, else some calls say this and some that.
int closed(int fd) {
  struct stat status;
  pollfd polled{fd, POLLIN | POLLOUT, 0};
  char byte = 0;
  const bool is_closed = refused(fcntl(fd, F_GETFD));
  const bool same = refused(fstat(fd, &status)) == is_closed &&
                    refused(fcntl(fd, F_GETFL)) == is_closed &&
                    (poll(&polled, 1, 0) == 1 && polled.revents == POLLNVAL) == is_closed &&
                    (!is_closed || (refused(read(fd, &byte, 1)) && refused(write(fd, &byte, 1)) &&
                                    refused(dup(fd)) && refused(lseek(fd, 0, SEEK_CUR))));
  return same ? is_closed : contradictory;
}

}  // namespace

int main() {
  int status = 0;
  for (int fd = 0; fd < 3; ++fd) {
    const int answer = closed(fd);
    if (answer == contradictory) return contradictory;
    status |= answer << fd;
  }
  return status | open("/", O_RDONLY) << 4;
}
