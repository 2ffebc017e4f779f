// Conformance, sockets when descriptors run out: what was to be accepted or received is still
// there, and nothing is lost but what is said to be.
#include <sys/resource.h>

#include "inet_sockets.h"

using namespace sockets;

namespace {

/// No descriptor from `first` on may be made; the lowest free one is `first` then.
void allow_below(int first) {
  const rlimit limit = {(rlim_t)first, 1024};
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
int lowest_free() {
  int fd = dup(0);
  close(fd);
  return fd;
}

}  // namespace

TEST(accept_without_a_descriptor_loses_no_connection) {
  const LocalName name("@accept-without-a-descriptor");
  for (int listener : {inet_listener("127.0.0.1"), inet_listener("::1"), local_listener(name)}) {
    Address there = name_of(listener);
    int client = socket(there.storage.ss_family, SOCK_STREAM, 0);
    CHECK_EQ(connect(client, there.get(), there.bytes), 0);
    CHECK_EQ(say_to(client, "kept"), 4);
    const int free = lowest_free();
    allow_below(free);
    for (int i = 0; i < 3; ++i) CHECK_ERRNO(accept(listener, nullptr, nullptr), EMFILE);
    CHECK_EQ(state(listener), POLLIN);
    allow_below(free + 1);
    int server = accept(listener, nullptr, nullptr);
    CHECK_EQ(server, free);
    CHECK(hears(server, "kept"));
    CHECK_EQ(say_to(server, "answer"), 6);
    CHECK(hears(client, "answer"));
    close(server), close(client);
    allow_below(1024);
  }
}

// It is asked for before there is anything to accept.
TEST(accept_without_a_descriptor_does_not_wait) {
  int listener = inet_listener();
  allow_below(lowest_free());
  CHECK_ERRNO(accept(listener, nullptr, nullptr), EMFILE);
  CHECK_ERRNO(accept4(listener, nullptr, nullptr, 1 << 20), EINVAL);
  CHECK_ERRNO(accept(-1, nullptr, nullptr), EBADF);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  CHECK_ERRNO(accept(listener, nullptr, nullptr), EMFILE);
}

// As it would not for a caller's own mistake: that connection is gone.
TEST(accept_with_a_bad_address_takes_the_connection) {
  int listener = inet_listener(), client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect_to(client, name_of(listener)), 0);
  socklen_t bytes = sizeof(sockaddr_in);
  const int free = lowest_free();
  CHECK_ERRNO(accept(listener, (sockaddr*)8, &bytes), EFAULT);
  CHECK_EQ(lowest_free(), free);
  CHECK_EQ(state(listener), 0);
}

TEST(sockets_without_a_descriptor) {
  int ends[2] = {-7, -7};
  const int free = lowest_free();
  allow_below(free);
  CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
  CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), EMFILE);
  allow_below(free + 1);
  CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), EMFILE);
  CHECK(ends[0] == -7 && ends[1] == -7);
  CHECK_EQ(lowest_free(), free);
}

TEST(received_descriptors_without_room) {
  Pair pair;
  const int sent[3] = {0, 1, 2};
  Message three("three", sent, 3);
  CHECK_EQ(sendmsg(pair.a, &three.header, 0), 5);
  CHECK_EQ(sendmsg(pair.a, &three.header, 0), 5);
  const int free = lowest_free();
  allow_below(free + 1);
  for (int come : {1, 0}) {
    Message got;
    CHECK_EQ(recvmsg(pair.b, &got.header, 0), 5);
    CHECK_EQ(got.header.msg_flags, MSG_CTRUNC);
    int fds[3] = {-1, -1, -1};
    CHECK_EQ(got.fds(fds, 3), come);
    CHECK_EQ(fds[0], come ? free : -1);
  }
}
