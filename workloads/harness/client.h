// The client of a workload: a program on the host that talks with the guest while it is measured,
// as a browser does with a server. run.cpp has one for each launch of a workload that names one. It
// runs where the harness does, on another CPU than the guest where the host has two.
#pragma once

#include "workloads/harness/executor.h"
#include "workloads/image/host_program.h"

namespace harness {

class Client {
 public:
  /// Starts it. It dies with us, or with the object.
  explicit Client(const std::vector<std::string>& words);
  /// The launch has ended, so its client has to: its output goes behind the launch's, and what is
  /// wrong with it into `client_problem`.
  void end(LaunchResult&);

 private:
  image::HostProgram program_;
};

/// A TCP port of the host's loopback that nobody has now. Throws monitor::HostError.
unsigned free_port();

}  // namespace harness
