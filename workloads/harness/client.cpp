// Client: see the header.
#include "workloads/harness/client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/tool/error.h"

namespace harness {
namespace {

constexpr double grace_seconds = 5;

/// The client must not outlive a harness that is killed.
std::vector<std::string> bound_to_us(std::vector<std::string> words) {
  words.insert(words.begin(), {"setpriv", "--pdeathsig", "KILL", "--"});
  return words;
}

std::string last_line(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

Client::Client(const std::vector<std::string>& words) : program_(bound_to_us(words)) {}

void Client::end(LaunchResult& result) {
  // One whose guest failed may wait for it forever.
  const bool ended = program_.wait(result.status == 0 ? grace_seconds : 0);
  const image::ProgramRun run = program_.run();
  result.out += run.out;
  result.err += run.err;
  if (!ended) {
    result.client_problem = fmt::format("still running {} s after the guest's end", grace_seconds);
  } else if (run.status != 0) {
    result.client_problem = fmt::format("exit status {} ({})", run.status, last_line(run.err));
  }
}

unsigned free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) monitor::throw_errno("cannot make a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const bool got = bind(fd, any, length) == 0 && getsockname(fd, any, &length) == 0;
  close(fd);
  if (!got) monitor::throw_errno("cannot find a free port of the loopback");
  return ntohs(address.sin_port);
}

}  // namespace harness
