// The host under resident parts that are built for the host: guest memory and a disk in two
// vectors, and host_call(), which fails on demand. One fault in a run: the n-th host call meets an
// error, or does half of what it was asked for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fake {

/// Window and RAM, without the attic between them.
inline constexpr std::uint64_t memory_bytes = 5 << 20, disk_bytes = 1 << 18;

struct Fault {
  int at = -1;            // which host call; -1: none
  std::int64_t result{};  // a negative errno; 0: half of the bytes
};

struct Mapping {
  std::uint64_t offset, protection;
  bool operator==(const Mapping&) const = default;
};

struct Host {
  Host();

  Fault fault;
  int calls = 0;
  std::string faulted;  // the name of the call that met the fault
  std::vector<std::uint8_t> memory, disk;
  std::uint64_t memory_position = 0, disk_position = 0;
  std::string input = "input", output;
  std::map<std::uint64_t, Mapping> mapped;  // guest user pages
  bool fill_refused = false;                // zeroing through a user mapping stops halfway

  /// All that calls leave behind.
  [[nodiscard]] std::size_t state() const;
};

/// The one of this run.
Host& host();

/// A resident part has given up.
struct Panic {
  std::string message;
};
/// It has left: to user code, or for good.
struct Left {};

}  // namespace fake
