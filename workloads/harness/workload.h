// The workloads: what each measures, how it is started, and how its answer is known to be right.
// The registry is the folders workloads/micro and workloads/macro: a specification in JSON beside
// each program (workload_spec.h says what may stand there), and nothing to enter elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "machines/request.h"
#include "monitor/machine/kind.h"
#include "workloads/harness/harness.h"
#include "workloads/harness/output_check.h"

namespace harness {

using Words = std::vector<std::string>;
using NamedWords = std::map<std::string, std::string>;

/// What one launch is asked to do.
struct Work {
  Words argv;
  std::vector<machines::Addition> add;
  Words env;                // NAME=VALUE
  std::uint64_t count = 1;  // operations between start and stop
  std::uint64_t pairs = 1;  // starts and stops
  OutputCheck check;
  Words client, connect, publish;  // see Workload
};

/// What is settled only when a run begins, or a launch.
struct Surroundings {
  std::string prepared;  // the folder that the workload's `prepare` filled
  unsigned port = 0;     // of TCP on the host's loopback, where nobody listens
};

/// How much of it an effort does: `times` the counts, and words for `{NAME}` in other texts.
struct Size {
  std::uint64_t times = 1;
  NamedWords words;
};

/// Texts may hold {count}, {pairs}, {operations} (all of a launch), {folder} (the specification's),
/// {built} (where its compiled programs are), {prepared}, {port} and the words of a Size.
struct Workload {
  WorkloadInfo info;
  double unit_ns = 1;  // nanoseconds in one `info.unit`; of a rate: in which one operation makes 1
  std::string folder, built;
  Words run;               // the guest's first process
  NamedWords files;        // guest path: host path; besides the standard root's
  NamedWords environment;  // of the process
  std::map<std::string, std::uint64_t>
      counts;  // by configuration, or by Traits::speed: a
               // sample is a mean over its count, so they may differ
  std::uint64_t pairs = 1;
  std::array<Size, 2> sizes;  // by Effort
  OutputCheck check;
  Words configs = {};                 // of a quick run that names none; empty: as all have them
  std::uint64_t min_memory = 0;       // bytes of guest RAM it needs
  bool from_image = false;            // its root is a disk image, not files in memory
  Words packages = {};                // of that image, besides the default ones
  Words prepare = {}, clean_up = {};  // run on the host around all launches (preparation.h)
  Words client = {};                  // and beside each of them (client.h)
  Words connect = {}, publish = {};   // what of the host's network a guest is given
};

/// One launch.
Work make_work(const Workload&, const monitor::Config&, Effort, const Surroundings& = {});

/// `text` with the words in braces replaced. Throws monitor::HostError: there is no such word.
std::string fill_in(const std::string& text, const NamedWords& words);

/// Those of a quick run first, in its order; then by folder and name.
const std::vector<Workload>& workloads();
/// Throws monitor::UsageError naming the workloads there are.
const Workload& find_workload(const std::string& name);

}  // namespace harness
