// Conformance, what goes with the bytes of local sockets: descriptors, and who sends.
#include <sys/epoll.h>
#include <sys/resource.h>

#include "sockets.h"

using namespace sockets;

namespace {

int count_of_fds() {
  int count = 0;
  for (int fd = 0; fd < 1100; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

long pass(int to, const char* text, int fd) {
  Message message(text, &fd, 1);
  return sendmsg(to, &message.header, 0);
}

/// One descriptor that came with bytes; -1.
int take(int from, int flags = 0) {
  Message message;
  int fd = -1;
  if (recvmsg(from, &message.header, flags) < 0) return -1;
  return message.fds(&fd, 1) == 1 ? fd : -1;
}

}  // namespace

TEST(a_descriptor_is_passed) {
  Pair pair;
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(pass(pair.a, "pipe", ends[1]), 4);
  close(ends[1]);
  Message message;
  CHECK_EQ(recvmsg(pair.b, &message.header, MSG_CMSG_CLOEXEC), 4);
  CHECK_EQ(message.header.msg_flags, MSG_CMSG_CLOEXEC);
  CHECK_EQ(message.header.msg_controllen, CMSG_SPACE(4));
  int got = -1;
  CHECK_EQ(message.fds(&got, 1), 1);
  CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(write(got, "x", 1), 1);
  close(got);
  char byte;
  CHECK_EQ(read(ends[0], &byte, 1), 1);
  CHECK_EQ(read(ends[0], &byte, 1), 0);  // no writer is left
}

TEST(to_another_process) {
  Pair pair;
  pid_t child = check::start_child([&] {
    close(pair.a);
    int fd = take(pair.b);
    return fd < 0 || write(fd, "from the child", 14) != 14;
  });
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(pass(pair.a, "x", ends[1]), 1);
  CHECK(ends_well(child));
  char buffer[16];
  CHECK_EQ(read(ends[0], buffer, 16), 14);
}

TEST(bytes_before_come_along_and_those_behind_do_not) {
  Pair pair;
  say_to(pair.a, "ab");
  CHECK_EQ(pass(pair.a, "cd", 0), 2);
  say_to(pair.a, "ef");
  Message message;
  CHECK_EQ(recvmsg(pair.b, &message.header, 0), 4);
  int fd;
  CHECK_EQ(message.fds(&fd, 1), 1);
  CHECK(hears(pair.b, "ef"));
  // Two messages with descriptors never come together.
  pass(pair.a, "1", 0);
  pass(pair.a, "2", 0);
  CHECK(hears(pair.b, "1"));
  CHECK(hears(pair.b, "2"));
  // They come with the first byte, and only once.
  pass(pair.a, "gh", 0);
  Message first;
  first.part.iov_len = 1;
  CHECK_EQ(recvmsg(pair.b, &first.header, 0), 1);
  CHECK_EQ(first.fds(&fd, 1), 1);
  Message second;
  CHECK_EQ(recvmsg(pair.b, &second.header, 0), 1);
  CHECK_EQ(second.fds(&fd, 1), 0);
}

TEST(peeking_gives_copies) {
  Pair pair;
  pass(pair.a, "x", 0);
  const int before = count_of_fds();
  CHECK(take(pair.b, MSG_PEEK) >= 0);
  CHECK(take(pair.b, MSG_PEEK) >= 0);
  CHECK(take(pair.b) >= 0);
  CHECK_EQ(count_of_fds(), before + 3);
}

TEST(those_that_do_not_fit_are_gone) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    Pair pair(type);
    const int before = count_of_fds(), three[] = {0, 1, 2};
    Message out("x", three, 3);
    CHECK_EQ(sendmsg(pair.a, &out.header, 0), 1);
    Message in(CMSG_LEN(8));
    CHECK_EQ(recvmsg(pair.b, &in.header, 0), 1);
    CHECK_EQ(in.header.msg_flags, MSG_CTRUNC);
    CHECK_EQ(in.header.msg_controllen, CMSG_LEN(8));
    int fds[3];
    CHECK_EQ(in.fds(fds, 3), 2);
    CHECK_EQ(count_of_fds(), before + 2);
    Message more("x", three, 3);
    CHECK_EQ(sendmsg(pair.a, &more.header, 0), 1);
    Message none(0);
    CHECK_EQ(recvmsg(pair.b, &none.header, 0), 1);
    CHECK_EQ(none.header.msg_flags, MSG_CTRUNC);
    Message again("x", three, 3);
    CHECK_EQ(sendmsg(pair.a, &again.header, 0), 1);
    char byte;
    CHECK_EQ(recv(pair.b, &byte, 1, 0), 1);
    CHECK_EQ(count_of_fds(), before + 2);
  }
}

TEST(no_room_for_descriptors) {
  for (int fd = 3; fd < 1024; ++fd) close(fd);  // so that numbers have no gaps
  Pair pair;
  const int four[] = {0, 1, 2, 0};
  Message out("x", four, 4);
  CHECK_EQ(sendmsg(pair.a, &out.header, 0), 1);
  rlimit limit = {(rlim_t)count_of_fds() + 2, (rlim_t)count_of_fds() + 2};
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  Message in;
  CHECK_EQ(recvmsg(pair.b, &in.header, 0), 1);
  CHECK_EQ(in.header.msg_flags, MSG_CTRUNC);
  int fds[4];
  CHECK_EQ(in.fds(fds, 4), 2);
}

TEST(what_cannot_be_sent) {
  Pair pair;
  CHECK_ERRNO(pass(pair.a, "x", 99), EBADF);
  CHECK_ERRNO(pass(pair.a, "x", -1), EBADF);
  int many[254] = {};
  Message out("x", many, 254);
  CHECK_ERRNO(sendmsg(pair.a, &out.header, 0), EINVAL);
  Message most("x", many, 253);
  CHECK_EQ(sendmsg(pair.a, &most.header, 0), 1);
  Message all;
  CHECK_EQ(recvmsg(pair.b, &all.header, 0), 1);
  int got[253];
  CHECK_EQ(all.fds(got, 253), 253);
  Message bad("x", many, 1);
  CMSG_FIRSTHDR(&bad.header)->cmsg_len = 8;
  CHECK_ERRNO(sendmsg(pair.a, &bad.header, 0), EINVAL);
  CMSG_FIRSTHDR(&bad.header)->cmsg_len = 100;
  CHECK_ERRNO(sendmsg(pair.a, &bad.header, 0), EINVAL);
  CMSG_FIRSTHDR(&bad.header)->cmsg_len = CMSG_LEN(4);
  CMSG_FIRSTHDR(&bad.header)->cmsg_type = 77;
  CHECK_ERRNO(sendmsg(pair.a, &bad.header, 0), EINVAL);
  CMSG_FIRSTHDR(&bad.header)->cmsg_level = 77;
  CHECK_EQ(sendmsg(pair.a, &bad.header, 0), 1);
  bad.header.msg_control = (void*)8;
  CHECK_ERRNO(sendmsg(pair.a, &bad.header, 0), EFAULT);
  bad.header.msg_controllen = 1ul << 31;
  CHECK_ERRNO(sendmsg(pair.a, &bad.header, 0), ENOBUFS);
  CHECK(hears(pair.b, "x"));
}

TEST(a_control_buffer_that_cannot_be_written) {
  Pair pair;
  pass(pair.a, "x", 0);
  const int before = count_of_fds();
  Message in;
  in.header.msg_control = (void*)8;
  const long got = recvmsg(pair.b, &in.header, 0);
  check::say("recvmsg: %ld, flags %x\n", got, in.header.msg_flags);
  CHECK_EQ(count_of_fds(), before);
}

TEST(credentials) {
  Pair pair;
  say_to(pair.a, "old");
  CHECK_EQ(set_option(pair.b, SO_PASSCRED, 1), 0);
  CHECK_EQ(option(pair.b, SO_PASSCRED), 1);
  say_to(pair.a, "new");
  Message message;
  ucred sender = {};
  CHECK_EQ(recvmsg(pair.b, &message.header, 0), 3);  // not across a change of sender
  CHECK(message.credentials(&sender));
  CHECK_EQ(sender.pid, 0);
  CHECK_EQ(sender.uid, 65534);
  Message next;
  CHECK_EQ(recvmsg(pair.b, &next.header, 0), 3);
  CHECK(next.credentials(&sender));
  CHECK(sender.pid == getpid() && sender.uid == geteuid() && sender.gid == getegid());
  // From two processes.
  pid_t child = check::start_child([&] { return say_to(pair.a, "child") != 5; });
  CHECK(ends_well(child));
  say_to(pair.a, "parent");
  Message third;
  CHECK_EQ(recvmsg(pair.b, &third.header, 0), 5);
  CHECK(third.credentials(&sender));
  CHECK_EQ(sender.pid, child);
  Message none(0);
  CHECK_EQ(recvmsg(pair.b, &none.header, 0), 6);
  CHECK_EQ(none.header.msg_flags, MSG_CTRUNC);
}

TEST(credentials_that_are_said) {
  Pair pair;
  set_option(pair.b, SO_PASSCRED, 1);
  Message out(CMSG_SPACE(sizeof(ucred)));
  out.part.iov_len = 1;
  cmsghdr* first = CMSG_FIRSTHDR(&out.header);
  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_CREDENTIALS;
  first->cmsg_len = CMSG_LEN(sizeof(ucred));
  ucred said = {getpid(), getuid(), getgid()}, got = {};
  memcpy(CMSG_DATA(first), &said, sizeof said);
  CHECK_EQ(sendmsg(pair.a, &out.header, 0), 1);
  Message in;
  CHECK_EQ(recvmsg(pair.b, &in.header, 0), 1);
  CHECK(in.credentials(&got));
  CHECK(memcmp(&said, &got, sizeof said) == 0);
  first->cmsg_len = CMSG_LEN(sizeof(ucred) - 1);
  CHECK_ERRNO(sendmsg(pair.a, &out.header, 0), EINVAL);
}

TEST(a_socket_in_its_own_queue) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    for (int turn = 0; turn < 300; ++turn) {
      Pair pair(type);
      REQUIRE(pair.a >= 0);
      int ends[2];
      REQUIRE(pipe(ends) == 0);
      REQUIRE(pass(pair.a, "x", pair.b) == 1);
      REQUIRE(pass(pair.a, "x", ends[1]) == 1);
      close(pair.a), close(pair.b), close(ends[1]);
      // Whoever closes a local socket next finds it.
      Pair collector;
      close(collector.a), close(collector.b);
      char byte;
      REQUIRE(read(ends[0], &byte, 1) == 0);
      close(ends[0]);
    }
  }
}

TEST(a_ring_of_sockets) {
  Pair pairs[20];
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(pass(pairs[0].a, "x", ends[1]), 1);
  close(ends[1]);
  for (int i = 0; i < 20; ++i) CHECK_EQ(pass(pairs[i].a, "x", pairs[(i + 1) % 20].b), 1);
  for (Pair& pair : pairs) close(pair.a), close(pair.b);
  Pair collector;
  close(collector.a), close(collector.b);
  char byte;
  CHECK_EQ(read(ends[0], &byte, 1), 0);
}

TEST(one_who_can_be_reached_stays) {
  Pair inner, outer;
  CHECK_EQ(pass(inner.a, "kept", 1), 4);
  CHECK_EQ(pass(outer.a, "x", inner.b), 1);
  close(inner.b);
  Pair collector;
  close(collector.a), close(collector.b);
  int fd = take(outer.b);
  CHECK(fd >= 0);
  CHECK(hears(fd, "kept"));
}

TEST(a_long_chain_goes) {
  // Each in the queue of the one before: they go one by one, however many.
  int last = -1;
  for (int i = 0; i < 300; ++i) {
    Pair pair(SOCK_DGRAM);
    REQUIRE(pair.b >= 0);
    if (last >= 0) REQUIRE(pass(pair.a, "x", last) == 1);
    close(last);
    close(pair.a);
    last = pair.b;
  }
  close(last);
  CHECK(Pair().a >= 0);
}

TEST(in_the_backlog) {
  LocalName name("@typetwo-rights-backlog");
  int listener = local_listener(name), client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQ(connect(client, name.get(), name.bytes), 0);
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(pass(client, "x", listener), 1);
  CHECK_EQ(pass(client, "x", ends[1]), 1);
  close(ends[1]), close(client), close(listener);
  Pair collector;
  close(collector.a), close(collector.b);
  char byte;
  CHECK_EQ(read(ends[0], &byte, 1), 0);
}

TEST(watched_by_epoll_on_the_way) {
  Pair pair, passed;
  int watch = epoll_create1(0);
  epoll_event wanted = {EPOLLIN, {}}, got;
  CHECK_EQ(epoll_ctl(watch, EPOLL_CTL_ADD, passed.b, &wanted), 0);
  CHECK_EQ(pass(pair.a, "x", passed.b), 1);
  close(passed.b);
  say_to(passed.a, "x");
  CHECK_EQ(epoll_wait(watch, &got, 1, 0), 1);
  CHECK(take(pair.b) >= 0);
}
