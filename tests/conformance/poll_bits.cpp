// Conformance, poll bits: what poll says of each kind of file, to the bit, and which changes end
// its sleep. (pipes.cpp looks at what readers and writers do, restarts.cpp at signals.)
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "process_state.h"

namespace {

constexpr short all = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDBAND |
                      POLLWRBAND | POLLMSG | POLLRDHUP;
constexpr short readable = POLLIN | POLLRDNORM, writable = POLLOUT | POLLWRNORM;
const char* const fifo = "/tmp/poll-bits-fifo";
char bytes[1 << 16];

int bits(int fd, short events = all) {
  pollfd asked = {fd, events, 0x7fff};
  int count = poll(&asked, 1, 0);
  CHECK_EQ(count, asked.revents ? 1 : 0);
  return asked.revents;
}

struct Pipe {
  int out = -1, in = -1;  // bytes come out at `out`
  Pipe() {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    out = ends[0], in = ends[1];
  }
};

void open_fifo() {
  unlink(fifo);
  REQUIRE(mkfifo(fifo, 0600) == 0);
}

int open_now(int flags) {
  int fd = open(fifo, flags | O_NONBLOCK);
  REQUIRE(fd >= 0);
  return fd;
}

/// A child polls `fd` for `events`; when it sleeps `change` comes, and it must wake with `wanted`.
template <class Change>
void wakes(int fd, short events, int wanted, Change change, int other = -1) {
  pid_t child = check::start_child([&] {
    if (other >= 0) close(other);
    pollfd asked = {fd, events, 0};
    CHECK_EQ(poll(&asked, 1, 20'000), 1);
    CHECK_EQ(asked.revents, wanted);
    return 0;
  });
  wait_for_state(child, 'S');
  change();
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
}

}  // namespace

/// On a terminal (terminal_test.cpp): what it is when nobody has typed, and when a line has come.
int helper(int, char**) {
  check::say("before: %x\n", bits(0));
  pollfd asked = {0, POLLIN, 0};
  CHECK_EQ(poll(&asked, 1, -1), 1);
  check::say("after: %x\n", bits(0));
  CHECK(read(0, bytes, sizeof bytes) > 0);
  check::say("then: %x\n", bits(0));
  return check::failures;
}

TEST(a_pipe) {
  Pipe p;
  CHECK_EQ(bits(p.out), 0);
  CHECK_EQ(bits(p.in), writable);
  CHECK_EQ(write(p.in, "abc", 3), 3);
  CHECK_EQ(bits(p.out), readable);
  CHECK_EQ(bits(p.out, POLLRDNORM), POLLRDNORM);
  CHECK_EQ(bits(p.out, POLLOUT), 0);
  CHECK_EQ(bits(p.in), writable);
  CHECK_EQ(read(p.out, bytes, 3), 3);
  CHECK_EQ(write(p.in, bytes, sizeof bytes), sizeof bytes);
  CHECK_EQ(bits(p.in), 0);
  CHECK_EQ(read(p.out, bytes, 1), 1);
  CHECK_EQ(bits(p.in), 0);  // not yet a page
  CHECK_EQ(read(p.out, bytes, 4095), 4095);
  CHECK_EQ(bits(p.in), writable);
}

TEST(a_pipe_whose_writer_has_gone) {
  Pipe p;
  CHECK_EQ(write(p.in, "abc", 3), 3);
  close(p.in);
  CHECK_EQ(bits(p.out), readable | POLLHUP);
  CHECK_EQ(bits(p.out, 0), POLLHUP);
  CHECK_EQ(read(p.out, bytes, 3), 3);
  CHECK_EQ(bits(p.out), POLLHUP);
  CHECK_EQ(read(p.out, bytes, 3), 0);
  CHECK_EQ(bits(p.out, POLLIN), POLLHUP);
}

TEST(a_pipe_whose_reader_has_gone) {
  Pipe p, full;
  close(p.out);
  CHECK_EQ(bits(p.in), writable | POLLERR);
  CHECK_EQ(bits(p.in, 0), POLLERR);
  CHECK_EQ(write(full.in, bytes, sizeof bytes), sizeof bytes);
  close(full.out);
  CHECK_EQ(bits(full.in), POLLERR);
}

TEST(a_fifo) {
  open_fifo();
  int reader = open_now(O_RDONLY);
  CHECK_EQ(bits(reader), 0);  // nobody has come yet: no hang-up
  int writer = open_now(O_WRONLY);
  CHECK_EQ(bits(reader), 0);
  CHECK_EQ(bits(writer), writable);
  close(writer);
  CHECK_EQ(bits(reader), POLLHUP);
  int late = open_now(O_RDONLY);
  CHECK_EQ(bits(late), 0);
  CHECK_EQ(bits(reader), POLLHUP);
  writer = open_now(O_WRONLY);
  CHECK_EQ(bits(reader), 0);
  int later = open_now(O_RDONLY);
  close(writer);
  for (int fd : {reader, late, later}) CHECK_EQ(bits(fd), POLLHUP);
  writer = open_now(O_WRONLY);
  for (int fd : {reader, late, later}) close(fd);
  CHECK_EQ(bits(writer), writable | POLLERR);
}

TEST(a_fifo_opened_both_ways) {
  open_fifo();
  int both = open_now(O_RDWR);
  CHECK_EQ(bits(both), writable);
  CHECK_EQ(write(both, "x", 1), 1);
  CHECK_EQ(bits(both), readable | writable);
  CHECK_EQ(read(both, bytes, 1), 1);
  int other = open_now(O_RDWR);
  close(other);
  CHECK_EQ(bits(both), writable);
  CHECK_EQ(write(both, bytes, sizeof bytes), sizeof bytes);
  CHECK_EQ(bits(both), readable);
}

TEST(both_sides_of_a_fifo_opened_both_ways_are_heard) {
  open_fifo();
  int both = open_now(O_RDWR);
  wakes(both, POLLIN, POLLIN, [&] { CHECK_EQ(write(both, "x", 1), 1); });
  CHECK_EQ(read(both, bytes, 1), 1);
  CHECK_EQ(write(both, bytes, sizeof bytes), sizeof bytes);
  wakes(both, POLLOUT, POLLOUT, [&] { CHECK_EQ(read(both, bytes, 4096), 4096); });
  // And a reader and a writer that sleep at once: each wakes.
  CHECK_EQ(fcntl(both, F_SETFL, 0), 0);
  while (bits(both, POLLIN)) CHECK(read(both, bytes, sizeof bytes) > 0);
  pid_t reader = check::start_child([&] { return read(both, bytes, 1) == 1 ? 0 : 1; });
  CHECK_EQ(write(both, "x", 1), 1);
  int status = -1;
  waitpid(reader, &status, 0);
  CHECK_EXITED(status, 0);
  CHECK_EQ(write(both, bytes, sizeof bytes), sizeof bytes);
  pid_t writer = check::start_child([&] { return write(both, "y", 1) == 1 ? 0 : 1; });
  CHECK_EQ(read(both, bytes, 8192), 8192);
  waitpid(writer, &status, 0);
  CHECK_EXITED(status, 0);
}

TEST(ends_that_go_are_heard) {
  Pipe p;
  wakes(
      p.out, 0, POLLHUP, [&] { close(p.in); }, p.in);
  Pipe q;
  CHECK_EQ(write(q.in, bytes, sizeof bytes), sizeof bytes);
  wakes(
      q.in, POLLOUT, POLLERR, [&] { close(q.out); }, q.out);
}

TEST(files_and_devices_are_always_ready) {
  constexpr int ready = readable | writable;
  int fd = open("/tmp/poll-bits-file", O_RDWR | O_CREAT, 0600);
  CHECK_EQ(bits(fd), ready);
  close(fd);
  fd = open("/tmp/poll-bits-file", O_RDONLY);  // whatever it is open for
  CHECK_EQ(bits(fd), ready);
  unlink("/tmp/poll-bits-file");
  for (const char* path : {"/tmp", "/dev/null", "/dev/zero", "/dev/urandom"})
    CHECK_EQ(bits(open(path, O_RDONLY)), ready);
}

TEST(one_poll_of_many) {
  Pipe p, q;
  close(q.in);
  pollfd asked[] = {{p.out, POLLIN, 9}, {-1, POLLIN, 9},    {999, POLLIN, 9},
                    {p.in, POLLOUT, 9}, {q.out, POLLIN, 9}, {p.in, 0, 9}};
  CHECK_EQ(poll(asked, 6, -1), 3);
  const short wanted[] = {0, 0, POLLNVAL, POLLOUT, POLLHUP, 0};
  for (int i = 0; i < 6; ++i) CHECK_EQ(asked[i].revents, wanted[i]);
}

TEST(one_file_asked_for_twice) {
  Pipe p;
  pid_t child = check::start_child([&] {
    pollfd asked[] = {{p.out, POLLIN, 0}, {p.out, POLLRDNORM, 0}, {dup(p.out), POLLIN, 0}};
    CHECK_EQ(poll(asked, 3, 20'000), 3);
    CHECK_EQ(asked[1].revents, POLLRDNORM);
    return 0;
  });
  usleep(20'000);
  CHECK_EQ(write(p.in, "x", 1), 1);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
}

TEST(an_interrupted_poll_has_told_of_nothing) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  REQUIRE(sigprocmask(SIG_BLOCK, &set, nullptr) == 0 && raise(SIGUSR1) == 0);
  Pipe p;
  sigemptyset(&set);
  pollfd asked = {p.out, POLLIN, 9};
  CHECK_ERRNO(ppoll(&asked, 1, nullptr, &set), EINTR);
  CHECK_EQ(asked.revents, 0);
}

TEST(select_tells_ends_from_errors) {
  Pipe p, q;
  close(p.in);
  close(q.out);
  fd_set in, out, exceptional;
  auto select_now = [&] {
    for (fd_set* set : {&in, &out, &exceptional}) {
      FD_ZERO(set);
      FD_SET(p.out, set);
      FD_SET(q.in, set);
    }
    return select(10, &in, &out, &exceptional, nullptr);
  };
  CHECK_EQ(select_now(), 3);
  CHECK(FD_ISSET(p.out, &in) && !FD_ISSET(p.out, &out) && !FD_ISSET(p.out, &exceptional));
  CHECK(FD_ISSET(q.in, &in) && FD_ISSET(q.in, &out) && !FD_ISSET(q.in, &exceptional));
}
