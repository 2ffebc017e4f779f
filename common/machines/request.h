// A request: one program on one machine, as `typetwo exec` and `typetwo shell` are asked for it.
// The command line makes one of words, checked (cli/request.cpp); the harness makes one for each
// launch and has it run by a tool of its own, for which to_words() is the way back. What follows
// runs one way: request, host check, root, machine, outcome, report (cli/run_request.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "monitor/machine/fill.h"
#include "monitor/machine/kind.h"
#include "monitor/outside/rules.h"

namespace machines {

using Words = std::vector<std::string>;

/// A file or folder of the host that the guest gets, too.
struct Addition {
  std::string host_path, guest_path;
  friend bool operator==(const Addition&, const Addition&) = default;
};

struct Request {
  monitor::Config on;
  std::string root = {};  // a folder, or an ext2 image; "": the standard files in memory
  bool root_is_image = false;
  bool read_only = false;          // a guest does not write the image
  std::vector<Addition> add = {};  // to a root that is no image
  Words environment = {};          // NAME=VALUE
  monitor::OutsideRules outside = {};
  std::uint64_t memory_bytes = 1ul << 30;
  monitor::Fill fill = monitor::Fill::ahead;
  std::optional<double> timeout_seconds = {};
  std::optional<int> cpu = {};  // of the host; otherwise the last allowed one
  bool account = false;         // of the guest's time
  bool strace = false;
  bool observe = false;  // every host call of the guest goes into the report
  bool summary = false;
  std::string report = {};  // a file for the outcome, as JSON; "": none
  std::string debug = {};   // a Unix socket to wait at for gdb; "": none
  Words program = {};       // and its arguments; empty: a shell

  friend bool operator==(const Request&, const Request&) = default;
};

/// The arguments with which `typetwo` is asked for it, "exec" the first of them.
Words to_words(const Request&);

}  // namespace machines
