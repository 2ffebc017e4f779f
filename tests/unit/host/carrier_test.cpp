// The carrier of the guest's sockets, with requests that the test forges and sockets of the host's
// own loopback: nothing that lies in guest memory is believed.
#include "monitor/outside/carrier.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "monitor/outside/host_address.h"
#include "monitor/tool/error.h"

namespace {

using monitor::Carrier;
using vmi::SocketAnswer;
using vmi::SocketRequest;

constexpr std::uint16_t end = 20, other_end = 21;

/// A listener of the host's.
class Server {
 public:
  Server() {
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof here;
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&here), bytes), 0);
    EXPECT_EQ(listen(fd, 16), 0);
    sockaddr_storage got{};
    bytes = sizeof got;
    getsockname(fd, reinterpret_cast<sockaddr*>(&got), &bytes);
    endpoint = monitor::endpoint_of(got);
  }
  ~Server() { close(fd); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  int fd;
  vmi::HostEndpoint endpoint{};
};

class CarrierTest : public testing::Test {
 protected:
  static constexpr std::uint64_t memory_bytes = 0x10000;

  CarrierTest() {
    rules.connect.push_back({"server", {server.endpoint}});
    begin();
  }
  void begin() {
    carrier.emplace(rules);
    carrier->begin(*rings, [this](std::uint64_t at, std::uint64_t bytes) -> std::byte* {
      if (at > memory_bytes || bytes > memory_bytes - at) return nullptr;
      return memory.data() + at;
    });
  }
  void put(SocketRequest request) {
    auto& ring = rings->requests;
    ring.entries[ring.head++ % ring.capacity] = request;
  }
  /// Lets the host's events come for a moment.
  void work() {
    carrier->take_requests();
    epoll_event events[16];
    const int count = epoll_wait(carrier->events(), events, 16, 50);
    for (int i = 0; i < count; ++i) carrier->happened(events[i].data.u32);
    carrier->give_answers();
  }
  std::optional<SocketAnswer> take() {
    auto& ring = rings->answers;
    for (int i = 0; i < 20 && ring.head == ring.tail; ++i) work();
    if (ring.head == ring.tail) return {};
    return ring.entries[ring.tail++ % ring.capacity];
  }
  std::int64_t result_of(const SocketRequest& request) {
    put(request);
    const auto answer = take();
    EXPECT_TRUE(answer && answer->operation == request.operation && answer->end == request.end);
    return answer ? answer->result : 0;
  }
  SocketRequest connects() {
    return {.operation = vmi::socket_connect,
            .end = end,
            .other = 0,
            .peer = server.endpoint,
            .count = 0,
            .pieces = {}};
  }
  static SocketRequest moves(vmi::SocketOperation what, std::uint64_t at, std::uint64_t bytes) {
    return {
        .operation = what, .end = end, .other = 0, .peer = {}, .count = 1, .pieces = {{at, bytes}}};
  }
  static SocketRequest plain(vmi::SocketOperation what, std::uint16_t number = end) {
    return {.operation = what, .end = number, .other = 0, .peer = {}, .count = 1, .pieces = {}};
  }
  int connected() {
    EXPECT_EQ(result_of(connects()), 0);
    return accept(server.fd, nullptr, nullptr);
  }

  /// Who has connected has gone.
  void drain() const {
    for (int fd = 0; (fd = accept4(server.fd, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) close(fd);
  }

  Server server;
  monitor::OutsideRules rules;
  std::unique_ptr<vmi::SocketRings> rings = std::make_unique<vmi::SocketRings>();
  std::vector<std::byte> memory{memory_bytes};
  std::optional<Carrier> carrier;
};

TEST_F(CarrierTest, CarriesBytesBothWaysInPieces) {
  const int peer = connected();
  std::memcpy(memory.data() + 100, "hel", 3);
  std::memcpy(memory.data() + 200, "lo", 2);
  SocketRequest sends = moves(vmi::socket_send, 100, 3);
  sends.count = 2;
  sends.pieces[1] = {200, 2};
  EXPECT_EQ(result_of(sends), 5);
  char text[8] = "";
  EXPECT_EQ(read(peer, text, sizeof text), 5);
  EXPECT_STREQ(text, "hello");
  put(moves(vmi::socket_receive, 300, 10));
  work();
  EXPECT_EQ(rings->answers.head, rings->answers.tail) << "there is nothing yet";
  ASSERT_EQ(write(peer, "yes", 3), 3);
  EXPECT_EQ(take()->result, 3);
  EXPECT_EQ(std::memcmp(memory.data() + 300, "yes", 3), 0);
  close(peer);
  EXPECT_EQ(result_of(moves(vmi::socket_receive, 300, 10)), 0);
  EXPECT_EQ(result_of(plain(vmi::socket_close)), 0);
}

TEST_F(CarrierTest, MemoryThatIsNotTheGuestsIsRefused) {
  const int peer = connected();
  for (auto what : {vmi::socket_send, vmi::socket_receive}) {
    EXPECT_EQ(result_of(moves(what, memory_bytes, 1)), -EFAULT);
    EXPECT_EQ(result_of(moves(what, memory_bytes - 4, 5)), -EFAULT);
    EXPECT_EQ(result_of(moves(what, 0, ~0ull)), -EFAULT);
    EXPECT_EQ(result_of(moves(what, ~0ull - 1, 4)), -EFAULT);
    EXPECT_EQ(result_of(moves(what, 0, 0)), -EFAULT);
    SocketRequest many = moves(what, 0, 1);
    many.count = vmi::most_pieces + 1;
    EXPECT_EQ(result_of(many), -EFAULT);
    many.count = ~0u;
    EXPECT_EQ(result_of(many), -EFAULT);
    many.count = 2;
    many.pieces[1] = {memory_bytes, 1};
    EXPECT_EQ(result_of(many), -EFAULT);
  }
  close(peer);
}

TEST_F(CarrierTest, NumbersThatAreNoEndsAreRefused) {
  SocketRequest request = connects();
  request.end = vmi::socket_ends;
  EXPECT_EQ(result_of(request), -EBADF);
  request.end = 0xffff;
  EXPECT_EQ(result_of(request), -EBADF);
  request.end = 3;  // a listener's
  EXPECT_EQ(result_of(request), -EINVAL);
  EXPECT_EQ(result_of(plain(vmi::socket_listen)), -EINVAL);
  EXPECT_EQ(result_of(plain(vmi::socket_listen, 3)), -EBADF) << "nothing is published there";
  EXPECT_EQ(result_of(plain(vmi::SocketOperation{77})), -EINVAL);
  EXPECT_EQ(result_of(plain(vmi::socket_send)), -ENOTCONN);
  SocketRequest accepts = plain(vmi::socket_accept);
  for (int listener : {0, 15, 16, 511, 512, 0xffff}) {
    accepts.other = static_cast<std::uint16_t>(listener);
    EXPECT_EQ(result_of(accepts), -EBADF);
  }
}

TEST_F(CarrierTest, ConnectsWhereItMayAndNowhereElse) {
  const Server another;
  SocketRequest request = connects();
  request.peer = another.endpoint;
  EXPECT_EQ(result_of(request), -EACCES);
  rules.connect.clear();
  begin();
  EXPECT_EQ(result_of(connects()), -ENETUNREACH);
}

TEST_F(CarrierTest, OneThingOfAKindAtATime) {
  const int peer = connected();
  EXPECT_EQ(result_of(connects()), -EBUSY);
  put(moves(vmi::socket_receive, 0, 1));
  EXPECT_EQ(result_of(moves(vmi::socket_receive, 8, 1)), -EBUSY);
  close(peer);
}

TEST_F(CarrierTest, WhatIsClosedIsNotWrittenTo) {
  const int peer = connected();
  put(moves(vmi::socket_receive, 0, 8));
  EXPECT_EQ(result_of(plain(vmi::socket_close)), 0);
  (void)!send(peer, "late", 4, MSG_NOSIGNAL);
  for (int i = 0; i < 3; ++i) work();
  EXPECT_EQ(memory[0], std::byte{0});
  close(peer);
}

TEST_F(CarrierTest, AbsurdIndicesAreAnEmptyRing) {
  for (std::uint32_t ahead : {33u, 1000u, ~0u, 1u << 31}) {
    rings->requests.head = rings->requests.tail + ahead;
    work();
    EXPECT_EQ(carrier->requests(), 0u);
  }
  rings->requests.head = rings->requests.tail;
  rings->answers.tail = rings->answers.head + 5;  // more than came was taken
  put(plain(vmi::socket_close));
  work();
  rings->answers.tail = rings->answers.head;
  EXPECT_TRUE(take());
}

TEST_F(CarrierTest, WhoTakesNoAnswersIsNotServedForEver) {
  for (int i = 0; i < 5000; ++i) {
    if (rings->requests.head - rings->requests.tail < rings->requests.capacity)
      put(plain(vmi::socket_close));
    carrier->take_requests();
    carrier->give_answers();
  }
  EXPECT_LT(carrier->requests(), 2 * vmi::socket_ends + 2 * rings->answers.capacity);
  while (rings->answers.head != rings->answers.tail) ASSERT_TRUE(take());
}

TEST_F(CarrierTest, PublishedPortsListenWhenTheGuestDoes) {
  vmi::HostEndpoint free{};
  {
    const Server taken;
    free = taken.endpoint;
    monitor::OutsideRules bad;
    bad.publish.push_back({"taken", taken.endpoint, 80});
    EXPECT_THROW(Carrier{bad}, monitor::HostError);
  }
  rules.publish.push_back({"free", free, 80});
  begin();
  EXPECT_EQ(rings->published[0], 80);
  const sockaddr_storage address = monitor::address_of(free);
  const auto connects_now = [&] {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool done =
        connect(fd, reinterpret_cast<const sockaddr*>(&address), monitor::bytes_of(address)) == 0;
    close(fd);
    return done;
  };
  EXPECT_FALSE(connects_now());
  EXPECT_EQ(result_of(plain(vmi::socket_listen, 0)), 0);
  put(plain(vmi::socket_accept, end));
  work();
  EXPECT_TRUE(connects_now());
  const auto accepted = take();
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->operation, vmi::socket_accept);
  EXPECT_EQ(accepted->result, 0);
  EXPECT_EQ(accepted->local, free);
  put(plain(vmi::socket_accept, other_end));
  put(plain(vmi::socket_unlisten, 0));
  EXPECT_EQ(take()->result, -ECANCELED);
  EXPECT_EQ(take()->operation, vmi::socket_unlisten);
  EXPECT_FALSE(connects_now());
}

TEST_F(CarrierTest, DescriptorsThatRunOutAreAnErrno) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const std::int64_t result = result_of(connects());
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(result, -ENFILE);
}

// The limit was met by others, perhaps, and no event tells that it is not any more.
TEST_F(CarrierTest, AnAcceptThatLacksADescriptorIsMadeLater) {
  vmi::HostEndpoint free = Server().endpoint;
  rules.publish.push_back({"free", free, 80});
  begin();
  ASSERT_EQ(result_of(plain(vmi::socket_listen, 0)), 0);
  put(plain(vmi::socket_accept, end));
  work();
  const sockaddr_storage address = monitor::address_of(free);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  EXPECT_EQ(
      connect(client, reinterpret_cast<const sockaddr*>(&address), monitor::bytes_of(address)), 0);
  for (int i = 0; i < 5; ++i) {
    work();
    carrier->retry_accepts();
    EXPECT_TRUE(carrier->must_retry());
  }
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(rings->answers.head, rings->answers.tail);
  carrier->retry_accepts();
  EXPECT_FALSE(carrier->must_retry());
  const auto accepted = take();
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->operation, vmi::socket_accept);
  EXPECT_EQ(accepted->result, 0);
  close(client);
}

// A peer that resets has perhaps been heard before: no send may take that away.
TEST_F(CarrierTest, WhatCameBeforeAResetIsReceivedFirst) {
  const int peer = connected();
  put(moves(vmi::socket_receive, 0, 8));
  SocketRequest much = moves(vmi::socket_send, 0, memory_bytes);
  for (;;) {  // until nothing fits any more
    put(much);
    work();
    if (rings->answers.head == rings->answers.tail) break;
    ASSERT_GT(take()->result, 0);
  }
  ASSERT_EQ(write(peer, "last", 4), 4);
  close(peer);  // with much unread: a reset
  const auto first = take(), second = take();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->operation, vmi::socket_receive);
  EXPECT_EQ(first->result, 4);
  EXPECT_EQ(second->operation, vmi::socket_send);
  EXPECT_LT(second->result, 0);
  EXPECT_EQ(result_of(moves(vmi::socket_receive, 0, 8)), 0);
}

// Judged is what was copied, whatever the guest writes meanwhile.
TEST_F(CarrierTest, APeerThatChangesWhileItIsJudgedIsNotReached) {
  const Server forbidden;
  fcntl(forbidden.fd, F_SETFL, O_NONBLOCK);
  fcntl(server.fd, F_SETFL, O_NONBLOCK);
  std::atomic<bool> done = false;
  std::thread changing([&] {
    for (std::uint32_t i = 0; !done; ++i) {
      auto& peer = rings->requests.entries[i % rings->requests.capacity].peer;
      peer.port = forbidden.endpoint.port;
      peer.port = server.endpoint.port;
    }
  });
  int let = 0;
  for (int i = 0; i < 3000; ++i) {
    put(connects());
    let += take()->result == 0;
    EXPECT_EQ(result_of(plain(vmi::socket_reset)), 0);
    drain();
  }
  done = true;
  changing.join();
  EXPECT_GT(let, 0);
  EXPECT_EQ(accept4(forbidden.fd, nullptr, nullptr, SOCK_CLOEXEC), -1);
}

TEST_F(CarrierTest, SurvivesWhateverIsAsked) {
  fcntl(server.fd, F_SETFL, O_NONBLOCK);
  std::mt19937 random(1);
  const auto any = [&](std::uint32_t below) { return random() % below; };
  for (int round = 0; round < 20'000; ++round) {
    SocketRequest request{};
    request.operation = static_cast<vmi::SocketOperation>(any(11));
    request.end = static_cast<std::uint16_t>(any(4) == 0 ? random() : 14 + any(6));
    request.other = static_cast<std::uint16_t>(any(4) == 0 ? random() : any(20));
    request.peer = any(2) == 0 ? server.endpoint : vmi::HostEndpoint{{}, std::uint16_t(random())};
    request.count = any(4) == 0 ? random() : any(6);
    for (auto& piece : request.pieces)
      piece = {any(4) == 0 ? random() : any(memory_bytes), any(4) == 0 ? random() : any(100)};
    put(request);
    if (any(50) == 0) rings->requests.head = random();
    if (any(3) == 0) rings->answers.tail = any(9) == 0 ? random() : rings->answers.head;
    carrier->take_requests();
    carrier->give_answers();
    carrier->happened(any(600));
    if (any(100) == 0) rings->requests.head = rings->requests.tail;
    if (any(20) == 0) drain();
  }
}

}  // namespace
