// Waiting for children: wait4 and waitid, called by process_calls.cpp.
#include <algorithm>

#include "guest/base/clock.h"
#include "guest/proc/lifecycle.h"

namespace guest {

namespace {

constexpr int stopped_mark = 0x7f, core_dumped = 0x80;

bool matches(const Process& child, const WaitRequest& request) {
  if (!(child.exit_signal == sig_chld ? request.usual : request.unusual)) return false;
  switch (request.who) {
    case WaitRequest::Who::any:
      return true;
    case WaitRequest::Who::pid:
      return child.pid == request.id;
    case WaitRequest::Who::group:
      return child.group == request.id;
  }
  return false;
}

WaitReport describe(Process& child, int wait_status) {
  CpuShares cpu = child.cpu_shares();
  cpu += child.cpu_of_children;
  return {child.pid, wait_status, child.leader->credentials.uid, cpu,
          std::max(child.peak_memory(), child.peak_of_children)};
}

WaitReport reap(Process& child, bool keep) {
  WaitReport report = describe(child, child.wait_status);
  if (keep) return report;
  child.parent->cpu_of_children += report.cpu;
  child.parent->peak_of_children = std::max(child.parent->peak_of_children, report.peak_memory);
  processes.forget(child);
  return report;
}

/// pid 0: nothing to report yet.
WaitReport look_at(Process& child, const WaitRequest& request) {
  if (child.state == Process::State::zombie)
    return request.exited ? reap(child, request.keep) : WaitReport{};
  if (request.stopped && child.stop_unreported) {
    child.stop_unreported = request.keep;
    return describe(child, child.wait_status);
  }
  if (request.continued && child.continue_unreported) {
    child.continue_unreported = request.keep;
    return describe(child, continued_status);
  }
  return {};
}

}  // namespace

Result<WaitReport> wait_for_child(const WaitRequest& request) {
  Process& self = current_process();
  for (;;) {
    bool any = false;
    for (Process& child : self.children) {
      if (!matches(child, request)) continue;
      any |= request.exited || child.state != Process::State::zombie;
      WaitReport report = look_at(child, request);
      if (report.pid != 0) return report;
    }
    if (!any) return Errno::child;
    if (request.no_hang) return WaitReport{};
    TRY(self.child_changed.wait());
  }
}

void tell_parent_of_change(Process& child, int wait_status) {
  Process* parent = child.parent;
  if (!parent) return;
  parent->child_changed.notify();
  const auto& action = parent->handlers->of(sig_chld);
  if (action.handler == abi::handler_ignore || (action.flags & abi::sa_nocldstop)) return;
  auto info = child_signal(child.pid, child.leader->credentials.uid, wait_status);
  tell_times(info, child);
  (void)send_signal(*parent, info);
}

void tell_times(abi::SigInfo& info, Process& child) {
  const CpuShares& cpu = child.cpu_shares();
  info.child.user_time = static_cast<std::int64_t>(ticks_to_ns(cpu.user) / ns_per_tick);
  info.child.system_time = static_cast<std::int64_t>(ticks_to_ns(cpu.system) / ns_per_tick);
}

abi::SigInfo child_signal(int pid, std::uint32_t uid, int wait_status) {
  abi::SigInfo info{};
  info.number = sig_chld;
  info.child.pid = pid;
  info.child.uid = uid;
  if (wait_status == continued_status) {
    info.code = abi::child_continued;
    info.child.status = sig_cont;
  } else if ((wait_status & 0xff) == stopped_mark) {
    info.code = abi::child_stopped;
    info.child.status = wait_status >> 8;
  } else if ((wait_status & 0x7f) == 0) {
    info.code = abi::child_exited;
    info.child.status = wait_status >> 8;
  } else {
    info.code = wait_status & core_dumped ? abi::child_dumped : abi::child_killed;
    info.child.status = wait_status & 0x7f;
  }
  return info;
}

}  // namespace guest
