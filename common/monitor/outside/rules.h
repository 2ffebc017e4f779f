// What of the host's network a guest is given: ports of the host that lead to ports of the guest,
// and where the guest may connect to. Made of the words of --publish and --connect.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "vmi/sockets.h"

namespace monitor {

struct Publication {
  std::string words;
  vmi::HostEndpoint host;
  std::uint16_t guest_port = 0;
  friend bool operator==(const Publication&, const Publication&) = default;
};

struct Permission {
  std::string words;
  std::vector<vmi::HostEndpoint> endpoints;  // all that the name stands for
  friend bool operator==(const Permission&, const Permission&) = default;
};

struct OutsideRules {
  std::vector<Publication> publish;
  std::vector<Permission> connect;

  [[nodiscard]] bool empty() const { return publish.empty() && connect.empty(); }
  [[nodiscard]] bool allow(const vmi::HostEndpoint&) const;
  /// Of this machine's loopback, where the guest may connect to.
  [[nodiscard]] std::set<std::uint16_t> host_ports() const;
  friend bool operator==(const OutsideRules&, const OutsideRules&) = default;
};

/// [ADDRESS:]HOSTPORT:GUESTPORT; the host's loopback unless there is an address. Throws UsageError.
void add_publication(const std::string& words, OutsideRules&);
/// HOST:PORT, several of them with commas between. Throws UsageError, also for names that the host
/// does not know.
void add_permissions(const std::string& words, OutsideRules&);

/// "127.0.0.1:80", "[::1]:80"
std::string text_of(const vmi::HostEndpoint&);
bool is_loopback(const vmi::HostEndpoint&);

}  // namespace monitor
