// Finding, holding and reaping the launcher's own children: see children.h. A child keeps its pid
// until it is reaped, and nobody but the launcher reaps it: what waitid calls a child is still the
// same process when its pidfd is opened.
#include "extended-vmm/spaces/children.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "monitor/guest/process.h"

namespace extended {
namespace {

bool is_child(pid_t pid) {
  siginfo_t info;
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/// By its name, which the filter lets nobody change.
bool is_guest_machine(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string name;
  return std::getline(file, name) && name == monitor::GuestProcess::name;
}

}  // namespace

Children::~Children() {
  for (const Held& held : held_) close(held.fd);
}

std::vector<Children::Held>::const_iterator Children::find(pid_t pid) const {
  return std::find_if(held_.begin(), held_.end(),
                      [&](const Held& held) { return held.pid == pid; });
}

void Children::add(pid_t pid) {
  const auto fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd >= 0) held_.push_back({pid, fd});
}

bool Children::holds(pid_t pid) {
  if (pid <= 0) return false;
  if (find(pid) == held_.end() && is_child(pid) && is_guest_machine(pid)) add(pid);
  return find(pid) != held_.end();
}

/// Where the host lists children (CONFIG_PROC_CHILDREN).
void Children::find_unnamed() {
  std::ifstream list(fmt::format("/proc/self/task/{}/children", gettid()));
  pid_t pid;
  while (list >> pid) holds(pid);
}

void Children::signal(pid_t pid, int number) const {
  if (const auto held = find(pid); held != held_.end())
    syscall(SYS_pidfd_send_signal, held->fd, number, nullptr, 0);
}

std::optional<monitor::ProcessEnd> Children::reap(pid_t pid, bool wait) {
  const auto held = find(pid);
  if (held == held_.end()) return {};
  monitor::ProcessEnd end{};
  pid_t reaped;
  do {
    reaped = wait4(pid, &end.status, __WALL | (wait ? 0 : WNOHANG), &end.usage);
    // One that is traced may have a stop to tell first.
  } while ((reaped < 0 && errno == EINTR) || (reaped == pid && WIFSTOPPED(end.status)));
  if (reaped == 0) return {};
  close(held->fd);
  held_.erase(held);
  if (reaped < 0) return {};
  return end;
}

std::vector<pid_t> Children::all() const {
  std::vector<pid_t> pids;
  for (const Held& held : held_) pids.push_back(held.pid);
  return pids;
}

}  // namespace extended
