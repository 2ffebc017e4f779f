// The table of checks: each says whom it concerns, and turns what a probe found into a verdict and
// a remedy.
#include "monitor/host/check.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <cmath>

#include "monitor/guest/memory.h"
#include "monitor/host/cgroup.h"
#include "monitor/host/probe.h"
#include "monitor/tool/error.h"
#include "vmi/address_map.h"

namespace monitor {
namespace {

constexpr std::uint64_t mib = 1 << 20;
/// What a guest takes beside its RAM: window, the tool itself, the host's page tables.
constexpr std::uint64_t memory_overhead = 64 * mib;
constexpr std::uint64_t usual_map_count = 65530;

std::string size_text(std::uint64_t bytes) {
  if (bytes == UINT64_MAX) return "no limit";
  return fmt::format("{} MiB", bytes / mib);
}

Finding check_kernel(std::uint64_t) {
  utsname name;
  uname(&name);
  Finding found{"kernel", fmt::format("{} {} {}", name.sysname, name.release, name.machine)};
  unsigned major = 0, minor = 0;
  bool linux_version = sscanf(name.release, "%u.%u", &major, &minor) == 2;
  if (std::string(name.machine) != "x86_64") {
    found.verdict = Verdict::no;
    found.remedy = "typetwo runs on x86-64 hosts only";
  } else if (linux_version && (major < 5 || (major == 5 && minor < 11))) {
    found.verdict = Verdict::no;
    found.remedy = "use Linux 5.11 or later (6.1 for 2 MiB windows)";
  }
  return found;
}

Finding check_cpus(std::uint64_t) {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  return {"CPUs allowed", fmt::format("{}; a guest uses one", CPU_COUNT(&allowed))};
}

Finding check_fsgsbase(std::uint64_t) {
  constexpr unsigned long hwcap2_fsgsbase = 2;
  if (getauxval(AT_HWCAP2) & hwcap2_fsgsbase) return {"FSGSBASE", "the CPU and the kernel have it"};
  return {"FSGSBASE", "missing", Verdict::no,
          "use Linux 5.9 or later without nofsgsbase, on a CPU of 2012 or later"};
}

Finding check_namespaces(std::uint64_t) {
  auto why = probe::private_namespaces();
  if (why.empty()) return {"namespaces", "private mounts and processes work"};
  return {"namespaces", why, Verdict::no,
          "run as root, allow unprivileged user namespaces (sysctl user.max_user_namespaces, "
          "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or "
          "start the container with --cap-add SYS_ADMIN"};
}

Finding check_ptrace(std::uint64_t) {
  auto scope = probe::first_line("/proc/sys/kernel/yama/ptrace_scope");
  auto yama = scope.empty() ? "no yama" : "yama scope " + scope;
  auto why = probe::ptrace_child();
  if (why.empty()) return {"ptrace", fmt::format("tracing a child works ({})", yama)};
  return {"ptrace", fmt::format("{} ({})", why, yama), Verdict::no,
          "sysctl kernel.yama.ptrace_scope=1; in a container --cap-add SYS_PTRACE or a seccomp "
          "profile that allows ptrace; not inside gVisor or another tracer"};
}

Finding check_seccomp(std::uint64_t) {
  auto why = probe::seccomp_trap();
  if (why.empty()) return {"seccomp", "a filter's RET_TRAP arrives as SIGSYS"};
  return {
      "seccomp", why, Verdict::no,
      "use a kernel with CONFIG_SECCOMP_FILTER, and a container profile that allows seccomp(2)"};
}

Finding check_unmap(std::uint64_t) {
  auto why = probe::unmap_vdso();
  if (why.empty()) return {"system mappings", "a process may unmap its vdso"};
  return {"system mappings", "the vdso cannot be unmapped: " + why, Verdict::no,
          "use a kernel without CONFIG_MSEAL_SYSTEM_MAPPINGS"};
}

Finding check_collapse(std::uint64_t) {
  auto why = probe::collapse_memfd();
  auto shmem = probe::first_line("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
  auto state = shmem.empty() ? "" : fmt::format(" (shmem_enabled: {})", shmem);
  if (why.empty()) return {"MADV_COLLAPSE", "makes 2 MiB pages of a memfd" + state};
  return {"MADV_COLLAPSE", why + state, Verdict::slow,
          "the window stays in 4 KiB pages, and opening it costs some 30 times as much; use Linux "
          "6.1 or later, and not 'deny' in /sys/kernel/mm/transparent_hugepage/shmem_enabled"};
}

Finding check_memory(std::uint64_t wanted) {
  std::uint64_t available = probe::memory_available();
  Finding found{"memory available", fmt::format("{}; a guest of {} is wanted", size_text(available),
                                                size_text(wanted))};
  if (available < wanted + memory_overhead) {
    found.verdict = Verdict::no;
    found.remedy = fmt::format(
        "give a smaller --memory (at least {}), or the host or container "
        "more",
        size_text(vmi::ram_min));
  }
  return found;
}

Finding check_cgroup(std::uint64_t wanted) {
  return judge_cgroup(cgroup_memory(), wanted);
}

Finding check_size(std::uint64_t wanted) {
  if (is_ram_size(wanted)) return {"guest memory", size_text(wanted)};
  return {"guest memory", fmt::format("{} bytes are not possible", wanted), Verdict::no,
          fmt::format("--memory takes {} to {} MiB, whole 4 KiB pages", vmi::ram_min / mib,
                      vmi::ram_max / mib)};
}

Finding check_limits(std::uint64_t wanted) {
  struct Limit {
    decltype(RLIMIT_AS) resource;
    const char* name;
    const char* flag;
    std::uint64_t least;
  };
  const Limit limits[] = {
      {RLIMIT_AS, "address space", "-v", 2 * wanted + 16 * memory_overhead},
      {RLIMIT_FSIZE, "file size", "-f", wanted + memory_overhead},
      {RLIMIT_NOFILE, "open files", "-n", 32},
  };
  for (const auto& limit : limits) {
    rlimit now;
    getrlimit(limit.resource, &now);
    if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur >= limit.least) continue;
    return {"process limits", fmt::format("{} is limited to {}", limit.name, now.rlim_cur),
            Verdict::no, fmt::format("ulimit {} unlimited", limit.flag)};
  }
  return {"process limits", "wide enough"};
}

Finding check_quota(std::uint64_t) {
  double quota = cgroup_cpus();
  if (std::isinf(quota)) return {"CPU quota", "none"};
  Finding found{"CPU quota", fmt::format("{:.2f} CPUs", quota)};
  if (quota < 1) {
    found.verdict = Verdict::slow;
    found.remedy = "times include throttling; give the container at least one whole CPU";
  }
  return found;
}

Finding check_map_count(std::uint64_t) {
  auto count = probe::number_in("/proc/sys/vm/max_map_count", usual_map_count);
  Finding found{"vm.max_map_count", fmt::to_string(count)};
  if (count < usual_map_count) {
    found.verdict = Verdict::slow;
    found.remedy =
        "guests with fragmented memory run out of mappings early; sysctl "
        "vm.max_map_count=65530";
  }
  return found;
}

Finding check_lowest_address(std::uint64_t) {
  auto lowest = probe::number_in("/proc/sys/vm/mmap_min_addr", 0);
  Finding found{"vm.mmap_min_addr", fmt::to_string(lowest)};
  if (lowest > vmi::user_begin) {
    found.verdict = Verdict::no;
    found.remedy = "guest memory begins at 65536: sysctl vm.mmap_min_addr=65536";
  }
  return found;
}

Finding check_tsc(std::uint64_t) {
  if (probe::cpu_has("constant_tsc") && probe::cpu_has("nonstop_tsc")) {
    return {"time-stamp counter", "invariant"};
  }
  return {"time-stamp counter", "not declared invariant", Verdict::slow,
          "guest clocks may drift from the host's; times in results come from the host's clock"};
}

Finding check_vsyscall(std::uint64_t) {
  auto permissions = probe::vsyscall_permissions();
  if (permissions.empty()) return {"vsyscall page", "none"};
  bool readable = permissions.starts_with("r");
  return {"vsyscall page", readable ? "emulate (readable)" : "xonly; calls trap and are emulated"};
}

Finding check_pku(std::uint64_t) {
  bool offered = probe::cpu_has("ospke");
  return {"protection keys", offered ? "yes (no configuration uses them yet)" : "no (not needed)"};
}

struct Check {
  Finding (*look)(std::uint64_t memory_bytes);
  std::optional<Need> need;  // nothing: to be known, and no condition
};

// What is found first missing is what `exec` names first.
constexpr Check checks[] = {
    {check_kernel, Need::always},
    {check_cpus, {}},
    {check_fsgsbase, Need::guest},
    {check_namespaces, Need::namespaces},
    {check_ptrace, Need::ptrace},
    {check_seccomp, Need::seccomp},
    {check_unmap, Need::guest},
    {check_collapse, Need::huge_window},
    {check_lowest_address, Need::guest},
    {check_size, Need::guest},
    {check_limits, Need::guest},
    {check_memory, Need::guest},
    {check_cgroup, Need::guest},
    {check_map_count, Need::guest},
    {check_quota, Need::always},
    {check_tsc, Need::guest},
    {check_vsyscall, {}},
    {check_pku, {}},
};

Finding look(const Check& check, std::uint64_t memory_bytes) {
  Finding found = check.look(memory_bytes);
  found.need = check.need;
  return found;
}

}  // namespace

std::vector<Finding> examine_host(std::uint64_t memory_bytes) {
  std::vector<Finding> findings;
  for (const auto& check : checks) findings.push_back(look(check, memory_bytes));
  return findings;
}

Finding judge_cgroup(const std::optional<CgroupMemory>& memory, std::uint64_t wanted) {
  if (!memory) return {"cgroup memory", "no limit"};
  Finding found{"cgroup memory",
                fmt::format("limited to {}, {} of them left; a guest of {} is wanted",
                            size_text(memory->limit), size_text(memory->left), size_text(wanted))};
  if (memory->left < wanted + memory_overhead) {
    found.verdict = Verdict::no;
    found.remedy = fmt::format(
        "the host would kill the guest: give a smaller --memory (at least {}), or raise the limit "
        "in {}",
        size_text(vmi::ram_min), memory->file);
  }
  return found;
}

bool Finding::concerns(const Config& config) const {
  return need && config.needs(*need);
}

Verdict judge(const Config& config, const std::vector<Finding>& findings) {
  Verdict worst = Verdict::yes;
  for (const auto& found : findings) {
    if (found.concerns(config)) worst = std::max(worst, found.verdict);
  }
  return worst;
}

void require_host_for(const Config& config, std::uint64_t memory_bytes) {
  for (const auto& check : checks) {
    if (!check.need || !config.needs(*check.need)) continue;
    if (check.look == check_collapse) continue;  // never a "no"
    Finding found = look(check, memory_bytes);
    if (found.verdict != Verdict::no) continue;
    throw HostError(fmt::format("this host cannot run {}: {}: {}; {}", config.name(), found.name,
                                found.value, found.remedy));
  }
}

}  // namespace monitor
