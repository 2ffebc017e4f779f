// The results store: what a run of the harness leaves behind, and all that plots/ ever reads. One
// file results.jsonl in a folder: a header line, then one line for each launch, appended when the
// launch has ended. See schema.md for the meaning of every field, schema.json for their types.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/machine/machine_config.h"

namespace results {

inline constexpr int schema_version = 2;  // 1 is read, too
inline constexpr const char* file_name = "results.jsonl";

// Names of configurations that mean something here.
inline constexpr const char* standalone = "standalone";
inline constexpr const char* standalone_again = "standalone-aa";  // the A/A repetition

struct Header {
  std::string started;     // UTC, ISO 8601
  nlohmann::json options;  // what was asked; a run resumes only with the same
  nlohmann::json context;  // host and versions
  friend bool operator==(const Header&, const Header&) = default;
};

/// What the guest's CPU did from a launch's begin to its end, boot and clean-up included.
struct CpuShare {
  double elapsed_seconds = 0;
  double own_seconds = 0;     // CPU time of the launch's processes
  double idle_seconds = 0;    // waiting for a disk is idle too
  double steal_seconds = 0;   // had by other virtual machines, as far as the hypervisor says
  double waited_seconds = 0;  // the tool's thread was ready to run and did not
  double load = 0;            // of the whole host before, over the last minute

  /// Had by others: programs beside the launch, or other virtual machines.
  [[nodiscard]] double taken_seconds() const;
  /// Others had more of it than what the host's clock ticks leave uncertain, and more than a
  /// little. Says nothing of what is shared beside CPU time: caches, memory, a core's other thread.
  [[nodiscard]] bool disturbed() const;
};

/// A rate is better when it is higher, and a time when it is lower.
inline bool more_is_better(std::string_view unit) {
  return unit.ends_with("/s");
}

struct Launch {
  std::string workload;
  std::string config;   // as typed: "extended:protect=none"; or standalone_again
  std::string axes;     // all axes spelled out
  std::string promise;  // what the protection promises
  std::string unit;     // of samples: "us", "ms", "k/s"
  unsigned round = 0;
  bool warmup = false;          // not counted
  std::uint64_t count = 0;      // operations in one sample's measured part
  std::vector<double> samples;  // one for each measured part
  std::string problem;          // empty: everything the workload did was right
  std::string output_hash;      // FNV-1a of stdout
  std::string stderr_tail;      // kept of failed launches
  std::optional<CpuShare> cpu;  // nothing in files of version 1, and where the host does not say
  monitor::Outcome outcome;

  [[nodiscard]] bool ok() const { return problem.empty(); }
  [[nodiscard]] bool disturbed() const { return cpu && cpu->disturbed(); }
};

/// The A/A repetition's is standalone. Throws HostError for one that this version does not know.
monitor::Config config_of(const Launch&);

nlohmann::json to_json(const Header&);
nlohmann::json to_json(const Launch&);
/// Throw nlohmann::json::exception, or monitor::HostError for the report inside, on missing or
/// mistyped fields.
Header header_from_json(const nlohmann::json&);
Launch launch_from_json(const nlohmann::json&);

struct File {
  std::string path;
  Header header;
  std::vector<Launch> launches;
  std::uint64_t valid_bytes = 0;  // up to the end of the last complete line
};

/// The results file in a folder, or the path itself if it names a file.
std::string locate(const std::string& folder_or_file);

/// Throws monitor::HostError: missing, not a results file, another schema version, or a line that
/// is not a launch (the message names it). An incomplete last line, left by a killed run, is
/// dropped.
File read(const std::string& folder_or_file);

/// Does the folder hold results, if only a header? What a run left that was killed before that, or
/// that met a full disk, does not count. Throws HostError when something else is in their place.
bool is_begun(const std::string& folder);

/// Appends lines, each flushed before the next launch: a reader, or a kill at any moment, meets
/// whole lines, or one incomplete line at the end. One that cannot be written whole is taken back.
/// Holds a lock on the file: two runs cannot mix their launches.
class Writer {
 public:
  /// Creates folder and file, with the header as its first line.
  static Writer create(const std::string& folder, const Header&);
  /// Cuts an incomplete last line off and goes on behind it. Throws HostError when another run has
  /// added lines since the file was read.
  static Writer resume(const File&);

  ~Writer();
  Writer(Writer&& other) noexcept : fd_(other.fd_), path_(std::move(other.path_)) {
    other.fd_ = -1;
  }
  Writer& operator=(Writer&&) = delete;

  void append(const Launch&);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Writer(std::string path, int flags);
  void append_line(const nlohmann::json&);
  void cut(std::uint64_t bytes);

  int fd_ = -1;
  std::string path_;
};

}  // namespace results
