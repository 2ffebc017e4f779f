// The real executor: one child process, three pipes. The report comes through a pipe too, so that
// no launch leaves a file behind, however it ends.
#include "workloads/harness/executor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "monitor/machine/outcome_json.h"
#include "monitor/tool/error.h"
#include "workloads/harness/cpu_watch.h"
#include "workloads/harness/interrupts.h"

namespace harness {
namespace {

constexpr int report_fd = 3;          // in the child
constexpr double grace_seconds = 15;  // beyond the launch's own timeout: boot, prefault, clean-up

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { reset(); }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Fd read_end, write_end;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) monitor::throw_errno("cannot make a pipe");
    read_end = Fd(ends[0]);
    // Out of the way of the numbers that the child gives to its ends.
    write_end = Fd(fcntl(ends[1], F_DUPFD_CLOEXEC, 10));
    close(ends[1]);
    if (write_end.get() < 0) monitor::throw_errno("cannot make a pipe");
  }
};

std::vector<std::string> command_line(const std::string& program, machines::Request request) {
  request.report = fmt::format("/proc/self/fd/{}", report_fd);
  auto words = machines::to_words(request);
  words.insert(words.begin(), program);
  return words;
}

/// In the child: descriptors, CPU, death with the harness, then the tool.
[[noreturn]] void become_tool(std::vector<std::string>& words, int out, int err, int report,
                              int cpu, pid_t harness) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != harness) _exit(125);  // it died before we asked
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 ||
      dup2(report, report_fd) < 0) {
    _exit(125);
  }
  if (cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  dprintf(2, "cannot run %s: %s\n", argv[0], std::strerror(errno));
  _exit(125);
}

double seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The child, from fork to wait. Its destructor leaves no process behind.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {
    if (pidfd_.get() < 0) monitor::throw_errno("pidfd_open failed", "typetwo needs Linux 5.3");
  }
  ~Child() {
    if (pid_ < 0) return;
    kill(pid_, SIGTERM);  // lets the tool clean up; what it leaves dies with it
    pollfd ended{pidfd_.get(), POLLIN, 0};
    const double deadline = seconds_now() + 3;
    while (poll(&ended, 1, 100) <= 0 && seconds_now() < deadline) {
    }
    kill(pid_, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    run_queue_wait_ = run_queue_wait(pid_);
    while (wait4(pid_, &status, 0, &usage_) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  /// Once waited for: of it and of all that it has waited for.
  [[nodiscard]] const rusage& usage() const { return usage_; }
  [[nodiscard]] double run_queue_wait_seconds() const { return run_queue_wait_; }

 private:
  pid_t pid_;
  Fd pidfd_;
  rusage usage_{};
  double run_queue_wait_ = 0;
};

/// Takes what a pipe holds; false at its end.
bool drain(int fd, std::string& into) {
  char buffer[65536];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  if (got > 0) into.append(buffer, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/// Collects the three streams until the child has ended and they are dry. A stream that somebody
/// keeps open beyond the child's end is not waited for. Returns the child's exit status.
int collect(Child& child, Fd streams[3], std::string* texts[3], double deadline) {
  for (int i = 0; i < 3; ++i) fcntl(streams[i].get(), F_SETFL, O_NONBLOCK);
  bool ended = false;
  while (true) {
    pollfd polled[4];
    for (int i = 0; i < 3; ++i) polled[i] = {streams[i].get(), POLLIN, 0};
    polled[3] = {ended ? -1 : child.pidfd(), POLLIN, 0};
    const int ready = poll(polled, 4, ended ? 0 : 200);
    InterruptGuard::check();
    if (ended && ready <= 0) return child.wait();
    if (seconds_now() > deadline) {
      throw monitor::HostError("the tool did not end in time and was stopped");
    }
    for (int i = 0; i < 3 && ready > 0; ++i) {
      if (polled[i].revents != 0 && !drain(polled[i].fd, *texts[i])) streams[i].reset();
    }
    if (ready > 0 && polled[3].revents != 0) ended = true;
  }
}

}  // namespace

LaunchResult ToolExecutor::launch(const machines::Request& request) {
  InterruptGuard::check();
  auto words = command_line(program_, request);
  Pipe out, err, report;
  const CpuWatch watch(cpu_);
  const pid_t harness = getpid();
  const pid_t pid = fork();
  if (pid < 0) monitor::throw_errno("cannot start a process", "raise the limit on processes");
  if (pid == 0) {
    become_tool(words, out.write_end.get(), err.write_end.get(), report.write_end.get(), cpu_,
                harness);
  }
  Child child(pid);
  for (Pipe* pipe : {&out, &err, &report}) pipe->write_end.reset();

  LaunchResult result;
  std::string report_text;
  Fd streams[3] = {std::move(out.read_end), std::move(err.read_end), std::move(report.read_end)};
  std::string* texts[3] = {&result.out, &result.err, &report_text};
  try {
    result.status = collect(child, streams, texts,
                            seconds_now() + request.timeout_seconds.value() + grace_seconds);
  } catch (const monitor::HostError& late) {
    result.status = 124;
    result.err += late.what();
    return result;
  }
  result.cpu = watch.end(child.usage(), child.run_queue_wait_seconds());
  try {
    result.outcome = monitor::outcome_from_json(report_text);
    result.reported = true;
  } catch (const monitor::HostError& error) {
    if (result.err.empty()) result.err = error.what();
  }
  return result;
}

}  // namespace harness
