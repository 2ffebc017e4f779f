// Conformance, local sockets: packets and datagrams.
#include <sys/uio.h>

#include "sockets.h"

using namespace sockets;

TEST(packets_keep_their_ends) {
  Pair pair(SOCK_SEQPACKET);
  char buffer[16];
  CHECK_EQ(say_to(pair.a, "first"), 5);
  CHECK_EQ(say_to(pair.a, ""), 0);
  CHECK_EQ(say_to(pair.a, "second"), 6);
  CHECK_EQ(recv(pair.b, buffer, 3, MSG_PEEK), 3);
  CHECK_EQ(recv(pair.b, buffer, 3, MSG_PEEK | MSG_TRUNC), 5);
  Message message;
  message.part.iov_len = 2;
  CHECK_EQ(recvmsg(pair.b, &message.header, 0), 2);
  CHECK_EQ(message.header.msg_flags, MSG_TRUNC);
  CHECK_EQ(recv(pair.b, buffer, 16, 0), 0);
  message = Message();
  message.part.iov_base = message.text;
  message.header.msg_iov = &message.part;
  message.header.msg_control = message.control;
  CHECK_EQ(recvmsg(pair.b, &message.header, 0), 6);
  check::say("flags of a whole packet: %x\n", message.header.msg_flags);
  close(pair.a);
  CHECK_EQ(recv(pair.b, buffer, 16, 0), 0);
  CHECK_EQ(recv(pair.b, buffer, 16, MSG_DONTWAIT), 0);
  Pair two(SOCK_SEQPACKET);
  iovec parts[] = {{(void*)"ab", 2}, {(void*)"cd", 2}};
  CHECK_EQ(writev(two.a, parts, 2), 4);
  CHECK(hears(two.b, "abcd"));
  static char large[1 << 20];
  CHECK_ERRNO(send(two.a, large, sizeof large, 0), EMSGSIZE);
  CHECK_EQ(send(two.a, large, 100000, 0), 100000);
  CHECK_EQ(recv(two.b, large, sizeof large, 0), 100000);
  CHECK_ERRNO(send(two.a, (void*)8, 4, 0), EFAULT);
}

TEST(datagrams) {
  LocalName server_name("@typetwo-datagrams"), client_name("@typetwo-client");
  int server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK_EQ(bind(server, server_name.get(), server_name.bytes), 0);
  CHECK_EQ(sendto(client, "anon", 4, 0, server_name.get(), server_name.bytes), 4);
  sockaddr_un from = {};
  socklen_t bytes = sizeof from;
  char buffer[16];
  CHECK_EQ(recvfrom(server, buffer, 16, 0, (sockaddr*)&from, &bytes), 4);
  CHECK_EQ(bytes, 0);
  CHECK_EQ(bind(client, client_name.get(), client_name.bytes), 0);
  CHECK_EQ(connect(client, server_name.get(), server_name.bytes), 0);
  CHECK_EQ(say_to(client, "named"), 5);
  bytes = sizeof from;
  CHECK_EQ(recvfrom(server, buffer, 16, 0, (sockaddr*)&from, &bytes), 5);
  CHECK_EQ(bytes, client_name.bytes);
  CHECK(memcmp(&from, client_name.get(), bytes) == 0);
  CHECK_EQ(sendto(server, "back", 4, 0, (sockaddr*)&from, bytes), 4);
  CHECK(hears(client, "back"));
  // The client hears its peer alone.
  int other = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK_ERRNO(sendto(other, "x", 1, 0, client_name.get(), client_name.bytes), EPERM);
  CHECK_ERRNO(connect(other, client_name.get(), client_name.bytes), EPERM);
  sockaddr nobody = {AF_UNSPEC, {}};
  CHECK_EQ(connect(client, &nobody, sizeof nobody), 0);
  CHECK_ERRNO(say_to(client, "x"), ENOTCONN);
  CHECK_EQ(sendto(other, "x", 1, 0, client_name.get(), client_name.bytes), 1);
  close(server);
  CHECK_ERRNO(sendto(client, "x", 1, 0, server_name.get(), server_name.bytes), ECONNREFUSED);
  CHECK_ERRNO(recv(other, buffer, 1, MSG_DONTWAIT), EAGAIN);
  shutdown(other, SHUT_RD);
  CHECK_EQ(recv(other, buffer, 1, 0), 0);
}

TEST(a_full_inbox_waits) {
  Pair pair(SOCK_DGRAM | SOCK_NONBLOCK);
  int sent = 0;
  while (send(pair.a, "x", 1, 0) == 1) ++sent;
  CHECK_EQ(errno, EAGAIN);
  CHECK(sent > 5);
  fcntl(pair.a, F_SETFL, 0);
  pid_t child = check::start_child([&] { return send(pair.a, "last", 4, 0) != 4; });
  usleep(20000);
  char buffer[8];
  int got = 0;
  for (; got < sent; ++got) CHECK_EQ(recv(pair.b, buffer, 8, 0), 1);
  CHECK(ends_well(child));
  CHECK(hears(pair.b, "last"));
}

TEST(many_messages_at_once) {
  Pair pair(SOCK_SEQPACKET);
  mmsghdr out[3] = {}, in[4] = {};
  iovec parts[3] = {{(void*)"a", 1}, {(void*)"bc", 2}, {(void*)"def", 3}}, room[4];
  char buffers[4][8];
  for (int i = 0; i < 3; ++i) out[i].msg_hdr.msg_iov = &parts[i], out[i].msg_hdr.msg_iovlen = 1;
  for (int i = 0; i < 4; ++i) {
    room[i] = {buffers[i], 8};
    in[i].msg_hdr.msg_iov = &room[i], in[i].msg_hdr.msg_iovlen = 1;
  }
  CHECK_EQ(sendmmsg(pair.a, out, 3, 0), 3);
  CHECK_EQ(out[2].msg_len, 3);
  CHECK_EQ(recvmmsg(pair.b, in, 4, MSG_WAITFORONE, nullptr), 3);
  CHECK(in[0].msg_len == 1 && in[1].msg_len == 2 && in[2].msg_len == 3);
  CHECK_ERRNO(recvmmsg(pair.b, in, 4, MSG_DONTWAIT, nullptr), EAGAIN);
}
