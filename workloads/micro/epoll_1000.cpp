// epoll-1000: epoll_wait on a thousand descriptors that have nothing to say and one that has. The
// check value is how many waits told of that one alone.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "marker.h"

namespace {

constexpr const char* name = "epoll-1000";
constexpr std::uint64_t idle = 1000;

int watched() {
  const rlimit enough = {2048, 4096};
  const int epoll = epoll_create1(0);
  if (setrlimit(RLIMIT_NOFILE, &enough) != 0 || epoll < 0) micro::fail(name, "no epoll");
  for (std::uint64_t i = 0; i <= idle; ++i) {
    epoll_event event = {EPOLLIN, {.u64 = i}};
    const int fd = eventfd(i == idle, 0);
    if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
      micro::fail(name, "cannot watch a thousand descriptors");
    }
  }
  return epoll;
}

std::uint64_t wait(int epoll, std::uint64_t count) {
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    epoll_event events[8];
    right += epoll_wait(epoll, events, 8, -1) == 1 && events[0].data.u64 == idle;
  }
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 1000);
  const int epoll = watched();
  return micro::report(name,
                       micro::measure(name, arguments, arguments.count / 10 + 1,
                                      [&](std::uint64_t count) { return wait(epoll, count); }));
}
