// standalone: the same program from the same root tree on the host itself, the sibling that every
// ratio is measured against. Called by the tool like run_baseline and run_extended.
//
// Three processes. The tool waits, and watches timeout and signals. Its child, "init", is the first
// process of a PID namespace and lives in a mount namespace of its own: it unpacks the tree into a
// tmpfs that no other process ever sees, makes it the root, and starts the third, the program. When
// init ends the host kernel kills whatever is left in the namespace and drops the tmpfs; init
// itself dies with the tool (PDEATHSIG), even if that is killed. So nothing can outlive a run, and
// nothing is ever written to the host's file systems.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>

#include "monitor/guest/pinned.h"
#include "monitor/machine/clock.h"
#include "monitor/machine/machine_config.h"
#include "monitor/standalone/init.h"
#include "monitor/tool/error.h"

namespace monitor {
namespace {

constexpr int status_timeout = 124;
constexpr int status_failed = 125;

using standalone::Report;

/// A page shared by tool and init.
class SharedReport {
 public:
  SharedReport()
      : report_(static_cast<Report*>(mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (report_ == MAP_FAILED) throw_errno("cannot map the report of the standalone runner");
  }
  ~SharedReport() { munmap(report_, sizeof(Report)); }
  SharedReport(const SharedReport&) = delete;
  SharedReport& operator=(const SharedReport&) = delete;
  Report& operator*() { return *report_; }
  Report* operator->() { return report_; }

 private:
  Report* report_;
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

/// The signals that end a run, and the one that tells of init's end: blocked, so that wait_for_end
/// takes them one by one.
class WatchedSignals {
 public:
  WatchedSignals() {
    sigemptyset(&watched_);
    sigaddset(&watched_, SIGCHLD);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
      struct sigaction action;
      sigaction(signal, nullptr, &action);
      if (action.sa_handler != SIG_IGN) sigaddset(&watched_, signal);  // as nohup asks
    }
    pthread_sigmask(SIG_BLOCK, &watched_, &before_);
  }
  ~WatchedSignals() { restore(); }
  WatchedSignals(const WatchedSignals&) = delete;
  WatchedSignals& operator=(const WatchedSignals&) = delete;
  void restore() const { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  /// The next signal, or 0 at the deadline (monotonic seconds; infinite: never).
  [[nodiscard]] int next(double deadline) const {
    for (;;) {
      if (std::isinf(deadline)) {
        int signal = sigwaitinfo(&watched_, nullptr);
        if (signal > 0) return signal;
        continue;  // interrupted
      }
      double left = std::max(0.0, deadline - monotonic_seconds());
      timespec time{.tv_sec = static_cast<time_t>(left),
                    .tv_nsec = static_cast<long>((left - std::floor(left)) * 1e9)};
      int signal = sigtimedwait(&watched_, nullptr, &time);
      if (signal > 0) return signal;
      if (errno == EAGAIN) return 0;
    }
  }

 private:
  sigset_t watched_;
  sigset_t before_;
};

void write_file(const std::string& path, const std::string& text) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0 || write(file.get(), text.data(), text.size()) < 0) {
    throw_errno(fmt::format("cannot write {}", path), "user namespaces are restricted here");
  }
}

void map_ids(pid_t child) {
  std::string folder = fmt::format("/proc/{}/", child);
  write_file(folder + "setgroups", "deny");
  write_file(folder + "uid_map", fmt::format("0 {} 1", geteuid()));
  write_file(folder + "gid_map", fmt::format("0 {} 1", getegid()));
}

struct Init {
  pid_t pid;
  bool user_namespace;
};

/// fork into new namespaces; a user namespace only where the others are not allowed without it.
Init fork_init() {
  constexpr unsigned long spaces = CLONE_NEWNS | CLONE_NEWPID;
  for (bool user : {false, true}) {
    if (!user && geteuid() != 0) continue;
    unsigned long flags = spaces | SIGCHLD | (user ? CLONE_NEWUSER : 0);
    auto pid = static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
    if (pid >= 0) return {pid, user};
  }
  throw_errno(
      "cannot make namespaces for standalone",
      "run as root, or allow unprivileged user namespaces (sysctl user.max_user_namespaces "
      "and kernel.unprivileged_userns_clone, docker: --cap-add SYS_ADMIN); `typetwo doctor` "
      "tells more");
}

/// Asks init to end everything, so that it can still account for it; insists after a while.
void end_init(pid_t init, const WatchedSignals& signals) {
  constexpr double patience = 2;
  kill(init, SIGTERM);
  double deadline = monotonic_seconds() + patience;
  while (monotonic_seconds() < deadline) {
    (void)signals.next(deadline);
    if (waitpid(init, nullptr, WNOHANG) == init) return;
  }
  kill(init, SIGKILL);
  while (waitpid(init, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// 0: init ended by itself. Otherwise it was made to, and this is the outcome's exit status.
int wait_for_end(pid_t init, const WatchedSignals& signals, std::optional<double> timeout) {
  double deadline = timeout ? monotonic_seconds() + *timeout : INFINITY;
  for (;;) {
    int signal = signals.next(deadline);
    if (signal != SIGCHLD) {
      end_init(init, signals);
      return signal == 0 ? status_timeout : 128 + signal;
    }
    if (waitpid(init, nullptr, WNOHANG) == init) return 0;
  }
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t bytes;
  for (off_t at = 0; (bytes = pread(fd, buffer, sizeof buffer, at)) > 0; at += bytes) {
    text.append(buffer, static_cast<std::size_t>(bytes));
  }
  return text;
}

/// The workload's last word is its own reading of the clock, which here is the host's.
std::vector<Marker> parse_markers(const std::string& text) {
  std::vector<Marker> markers;
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    Marker marker{0, line};
    auto word = line.rfind(' ') + 1;
    std::from_chars(line.data() + word, line.data() + line.size(), marker.host_ns);
    markers.push_back(marker);
  }
  return markers;
}

Outcome outcome_of(const Report& report, int stopped_by, double begun) {
  Outcome outcome;
  if (report.warning[0]) outcome.warnings.emplace_back(report.warning);
  if (report.started > 0) {
    outcome.boot_seconds = report.started - begun;
    outcome.wall_seconds =
        (report.stopped > 0 ? report.stopped : monotonic_seconds()) - report.started;
  }
  outcome.cpu_seconds = report.cpu_seconds;
  outcome.rss_bytes = report.rss_bytes;
  if (stopped_by != 0) {
    outcome.exit_status = stopped_by;
  } else if (report.error[0]) {
    outcome.exit_status = status_failed;
    outcome.failure = report.error;
  } else if (!report.ended) {
    outcome.exit_status = status_failed;
    outcome.failure = "the standalone runner's own process was killed; see the host's kernel log";
  } else if (WIFSIGNALED(report.wait_status)) {
    outcome.exit_status = 128 + WTERMSIG(report.wait_status);
  } else {
    outcome.exit_status = WEXITSTATUS(report.wait_status);
  }
  return outcome;
}

}  // namespace

Outcome run_standalone(const MachineConfig& machine) {
  const Pinned pinned(machine.cpu);
  double begun = monotonic_seconds();
  SharedReport report;
  Descriptor markers(memfd_create("typetwo-markers", MFD_CLOEXEC));
  int go[2];
  if (markers.get() < 0 || pipe2(go, O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  Descriptor go_read(go[0]), go_write(go[1]);

  WatchedSignals signals;
  Init init = fork_init();
  if (init.pid == 0) {
    go_write.reset();
    standalone::wait_for_go(go_read.get());
    standalone::run_init(machine, *report, markers.get());
  }
  try {
    if (init.user_namespace) map_ids(init.pid);
  } catch (...) {
    kill(init.pid, SIGKILL);
    waitpid(init.pid, nullptr, 0);
    throw;
  }
  if (write(go_write.get(), "g", 1) != 1) throw_errno("cannot start the standalone runner");
  int stopped_by = wait_for_end(init.pid, signals, machine.timeout_seconds);
  Outcome outcome = outcome_of(*report, stopped_by, begun);
  outcome.markers = parse_markers(read_all(markers.get()));
  return outcome;
}

}  // namespace monitor
