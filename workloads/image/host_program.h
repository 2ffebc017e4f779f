// Runs one of the host's own programs (dpkg-query, mke2fs, ldconfig) and collects what it says. For
// the rest of this folder; nothing here is ever run by a shell. The harness runs what prepares and
// checks workloads.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace image {

struct ProgramRun {
  int status = 127;  // exit status; 127: could not be started; 128 + n: signal n
  std::string out, err;
};

class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] std::string text() const;

 private:
  int fd_;
};

/// A name without a slash is looked up where the system's programs are. `env` is added to our own
/// environment, which loses its locale: the words stay English. The program reads `input`.
ProgramRun run_program(const std::vector<std::string>& words,
                       const std::vector<std::string>& env = {}, const std::string& input = "");

/// One that runs beside us.
class HostProgram {
 public:
  /// As run_program. One that cannot be started has ended, with 127.
  HostProgram(const std::vector<std::string>& words, const std::vector<std::string>& env = {},
              const std::string& input = "");
  /// Ends it, if it still runs: by SIGTERM, and by SIGKILL when that is not enough.
  ~HostProgram();
  HostProgram(const HostProgram&) = delete;
  HostProgram& operator=(const HostProgram&) = delete;

  /// Waits until it has ended; false: it has not after so many seconds.
  bool wait(std::optional<double> seconds = {});
  /// Its status, once it has ended, and what it has said until now.
  [[nodiscard]] ProgramRun run() const;

 private:
  void start(const std::vector<std::string>& words, const std::vector<std::string>& env);

  MemoryFile in_, out_, err_;
  pid_t child_ = -1;  // -1: none runs
  int status_ = 127;
  std::string error_;  // why it could not be started
};

/// stdout of a run that must succeed. Otherwise HostError, with what the program said and `remedy`.
std::string require_program(const std::vector<std::string>& words, const std::string& remedy,
                            const std::vector<std::string>& env = {});

}  // namespace image
