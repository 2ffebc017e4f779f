// net-10m: 10 MiB in writes of 64 KiB to a client on the host, until it says that it has them: in a
// guest by the socket device. The check value is how many of the transfers arrived as they were
// sent. The same program is the client:
//   micro-net-10m COUNT PAIRS PORT      connects to the host's loopback there, and sends
//   micro-net-10m receive PORT          on the host
#include "tcp_blocks.h"

namespace {

constexpr const char* name = "net-10m";
constexpr std::uint64_t blocks = (10 << 20) / micro::block_bytes;

struct Loopback {
  explicit Loopback(const char* port_text) {
    unsigned port = 0;
    std::from_chars(port_text, port_text + std::strlen(port_text), port);
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  [[nodiscard]] const sockaddr* any() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr_in address = {};
};

int receive(const char* port) {
  const Loopback here(port);
  const int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(listener, here.any(), sizeof here.address) != 0 || listen(listener, 1) != 0)
    micro::fail(name, "cannot listen at that port");
  const int fd = accept(listener, nullptr, nullptr);
  if (fd < 0) micro::fail(name, "nobody came");
  micro::receive_blocks(fd);
}

/// The client was begun before us, but may not listen yet.
int connected(const char* port) {
  const Loopback there(port);
  constexpr timespec moment = {0, 10'000'000};
  for (int tries = 0; tries < 1000; ++tries) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, there.any(), sizeof there.address) == 0) return fd;
    close(fd);
    nanosleep(&moment, nullptr);
  }
  micro::fail(name, "the client does not listen");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "receive") == 0) return receive(argv[2]);
  if (argc != 4) micro::fail(name, "usage: COUNT PAIRS PORT, or receive PORT");
  const micro::Arguments arguments(name, argc - 1, argv, 1);
  const int fd = connected(argv[3]);
  const std::uint64_t right = micro::measure(name, arguments, 1, [&](std::uint64_t count) {
    std::uint64_t whole = 0;
    for (std::uint64_t i = 0; i < count; ++i)
      whole += micro::send_blocks(name, fd, blocks) == blocks;
    return whole;
  });
  close(fd);
  return micro::report(name, right);
}
