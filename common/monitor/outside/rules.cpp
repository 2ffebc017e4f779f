// Called while the command line is read: what is wrong here is a wrong option.
#include "monitor/outside/rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "monitor/outside/host_address.h"
#include "monitor/tool/error.h"

namespace monitor {
namespace {

std::uint16_t parse_port(const std::string& text, const std::string& option,
                         const std::string& words) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stopped != end || port == 0 || port > 65535)
    throw UsageError(
        fmt::format("{} '{}': '{}' is no port; ports are 1 to 65535", option, words, text));
  return static_cast<std::uint16_t>(port);
}

/// What stands before the last colon, and behind it.
std::pair<std::string, std::string> split_at_last_colon(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return {"", text};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string without_brackets(const std::string& host) {
  const bool has = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return has ? host.substr(1, host.size() - 2) : host;
}

std::vector<vmi::HostEndpoint> resolve(const std::string& host, std::uint16_t port,
                                       const std::string& option) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  if (error != 0)
    throw UsageError(
        fmt::format("{}: the host knows no '{}' ({}): check the name, or give its address", option,
                    host, gai_strerror(error)));
  std::vector<vmi::HostEndpoint> endpoints;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, one->ai_addr, one->ai_addrlen);
    vmi::HostEndpoint endpoint = endpoint_of(address);
    endpoint.port = port;
    endpoints.push_back(endpoint);
  }
  return endpoints;
}

}  // namespace

void add_publication(const std::string& words, OutsideRules& rules) {
  const auto [host, guest_port] = split_at_last_colon(words);
  const auto [address, host_port] = split_at_last_colon(host);
  if (host.empty())
    throw UsageError(
        fmt::format("--publish '{}' is not of the form [ADDRESS:]HOSTPORT:GUESTPORT", words));
  Publication made{.words = words, .host = {}, .guest_port = {}};
  const std::uint16_t port = parse_port(host_port, "--publish", words);
  made.guest_port = parse_port(guest_port, "--publish", words);
  const std::string where = address.empty() ? "127.0.0.1" : without_brackets(address);
  made.host = resolve(where, port, "--publish").front();
  for (const Publication& other : rules.publish)
    if (other.host == made.host || other.guest_port == made.guest_port)
      throw UsageError(fmt::format("--publish '{}' and '{}' have a port in common: give each once",
                                   other.words, words));
  if (rules.publish.size() == vmi::most_published)
    throw UsageError(
        fmt::format("--publish is given too often: there is room for {}", vmi::most_published));
  rules.publish.push_back(made);
}

void add_permissions(const std::string& words, OutsideRules& rules) {
  for (std::size_t from = 0; from <= words.size();) {
    const std::size_t comma = std::min(words.find(',', from), words.size());
    const std::string one = words.substr(from, comma - from);
    const auto [host, port] = split_at_last_colon(one);
    if (host.empty())
      throw UsageError(fmt::format("--connect '{}' is not of the form HOST:PORT", one));
    const std::uint16_t number = parse_port(port, "--connect", one);
    rules.connect.push_back({one, resolve(without_brackets(host), number, "--connect")});
    from = comma + 1;
  }
  if (rules.host_ports().size() > vmi::most_published)
    throw UsageError(
        fmt::format("--connect '{}': there is room for {} ports of the host's loopback", words,
                    vmi::most_published));
}

std::set<std::uint16_t> OutsideRules::host_ports() const {
  std::set<std::uint16_t> ports;
  for (const Permission& one : connect)
    for (const vmi::HostEndpoint& endpoint : one.endpoints)
      if (is_loopback(endpoint)) ports.insert(endpoint.port);
  return ports;
}

bool OutsideRules::allow(const vmi::HostEndpoint& wanted) const {
  return std::any_of(connect.begin(), connect.end(), [&](const Permission& one) {
    return std::find(one.endpoints.begin(), one.endpoints.end(), wanted) != one.endpoints.end();
  });
}

bool is_loopback(const vmi::HostEndpoint& endpoint) {
  const sockaddr_storage address = address_of(endpoint);
  if (address.ss_family == AF_INET) return endpoint.ip[12] == 127;
  return std::memcmp(endpoint.ip, &in6addr_loopback, sizeof endpoint.ip) == 0;
}

std::string text_of(const vmi::HostEndpoint& endpoint) {
  char text[INET6_ADDRSTRLEN] = "";
  const bool v4 = address_of(endpoint).ss_family == AF_INET;
  inet_ntop(v4 ? AF_INET : AF_INET6, endpoint.ip + (v4 ? 12 : 0), text, sizeof text);
  return v4 ? fmt::format("{}:{}", text, endpoint.port)
            : fmt::format("[{}]:{}", text, endpoint.port);
}

}  // namespace monitor
