// Runs as the first process of a PID namespace, in a mount namespace of its own; signals that the
// tool watches are blocked, as they were in the tool. Its only child is the program.
#include "monitor/standalone/init.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>

#include "monitor/machine/accounting.h"
#include "monitor/machine/clock.h"
#include "monitor/standalone/root.h"
#include "monitor/tool/error.h"
#include "monitor/tool/standard_streams.h"

namespace monitor::standalone {
namespace {

constexpr int status_failed = 125;

void copy_text(char (&to)[512], const std::string& text) {
  std::strncpy(to, text.c_str(), sizeof to - 1);
}

/// A program with root's powers should not be able to do to the host what no guest could.
void drop_host_powers() {
  for (int capability : {CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_BOOT, CAP_SYS_TIME, CAP_SYS_ADMIN,
                         CAP_SYSLOG, CAP_MKNOD, CAP_NET_ADMIN, CAP_SYS_PTRACE}) {
    prctl(PR_CAPBSET_DROP, capability);
  }
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const auto& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

/// Everything a process inherits is set to what a first process in a guest has.
void reset_inheritance() {
  setsid();  // a signal to its group is not for the tool's
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  umask(022);
  rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (stream_was_closed(stream)) close(stream);
  close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
}

[[noreturn]] void become_program(const MachineConfig& machine, Report& report) {
  auto argv = pointers(machine.argv);
  auto envp = pointers(machine.env);
  drop_host_powers();
  reset_inheritance();
  report.started = monotonic_seconds();
  execve(argv[0], argv.data(), envp.data());
  copy_text(report.error, fmt::format("cannot run {}: {}", machine.argv[0], strerror(errno)));
  _exit(status_failed);
}

void drain(int fifo, int to) {
  char buffer[4096];
  ssize_t bytes;
  while ((bytes = read(fifo, buffer, sizeof buffer)) > 0) {
    if (write(to, buffer, static_cast<std::size_t>(bytes)) != bytes) return;
  }
}

/// Reaps orphans until the program ends, which fills the report, or the tool sends SIGTERM: as in a
/// guest, a signal of the program's means nothing here. Markers
/// are fetched once a second, so that their pipe never fills, and at the end; not earlier, because
/// this process shares the program's CPU.
void wait_for(pid_t program, int fifo, int markers, Report& report) {
  sigset_t awaited;
  sigemptyset(&awaited);
  for (int signal : {SIGCHLD, SIGTERM}) sigaddset(&awaited, signal);
  const timespec second{.tv_sec = 1, .tv_nsec = 0};
  for (;;) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != program) continue;
      report.wait_status = status;
      report.ended = true;
      return;
    }
    siginfo_t info;
    if (sigtimedwait(&awaited, &info, &second) == SIGTERM && info.si_pid == 0) return;
    drain(fifo, markers);
  }
}

/// Kills and reaps all that is left: its time counts too.
void settle(Report& report) {
  report.stopped = monotonic_seconds();
  kill(-1, SIGKILL);
  while (wait(nullptr) > 0 || errno == EINTR) {
  }
  rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  const ProcessCost cost = cost_of(usage);
  report.cpu_seconds = cost.cpu_seconds;
  report.rss_bytes = cost.peak_rss_bytes;
}

}  // namespace

[[noreturn]] void run_init(const MachineConfig& machine, Report& report, int markers) {
  prctl(PR_SET_NAME, "init");
  try {
    StandaloneRoot root =
        machine.host_root ? enter_host_root(*machine.host_root) : enter_root(*machine.root);
    copy_text(report.warning, root.warning);
    pid_t program = fork();
    if (program < 0) throw_errno("cannot start a process");
    if (program == 0) become_program(machine, report);
    wait_for(program, root.marker_fifo, markers, report);
    settle(report);
    drain(root.marker_fifo, markers);
  } catch (const std::exception& error) {
    copy_text(report.error, error.what());
  }
  _exit(0);
}

void wait_for_go(int go) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  char byte;
  if (read(go, &byte, 1) != 1) _exit(0);
  // The word may have come from a tool that was killed before the signal was armed.
  pollfd end{go, POLLIN, 0};
  if (poll(&end, 1, 0) > 0) _exit(0);
  close(go);
}

}  // namespace monitor::standalone
