// Probes: small experiments in children, and a few files of /proc and /sys.
#include "monitor/host/probe.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "vmi/address_map.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace monitor::probe {
namespace {

constexpr int code_other = 255;  // died, or failed without an errno

std::string text_of(int code) {
  if (code == 0) return "";
  return code == code_other ? "it does not work here" : std::strerror(code);
}

int wait_for(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return code_other;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : code_other;
}

/// Runs `experiment` in a child: it returns 0 or an errno.
template <class Experiment>
std::string in_child(Experiment experiment, unsigned long namespaces = 0) {
  auto child = static_cast<pid_t>(
      syscall(SYS_clone, namespaces | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (child < 0) return std::strerror(errno);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    syscall(SYS_exit_group, experiment());  // libc's exit may need what the experiment took away
  }
  return text_of(wait_for(child));
}

int trapped = 0;

void on_sigsys(int, siginfo_t* info, void*) {
  trapped = info->si_syscall;
}

int try_seccomp() {
  struct sigaction action {};
  action.sa_sigaction = on_sigsys;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter{.len = std::size(program), .filter = program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) return errno;
  syscall(SYS_getppid);
  return trapped == SYS_getppid ? 0 : code_other;
}

int try_unmap_vdso() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with("[vdso]") && !line.ends_with("[vvar]")) continue;
    std::uint64_t begin = 0, end = 0;
    auto [dash, error] = std::from_chars(line.data(), line.data() + line.size(), begin, 16);
    std::from_chars(dash + 1, line.data() + line.size(), end, 16);
    if (munmap(reinterpret_cast<void*>(begin), end - begin) != 0) return errno;
  }
  return 0;
}

int try_collapse() {
  int fd = memfd_create("typetwo-probe", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, vmi::huge_page_size) != 0) return errno;
  auto* wanted = reinterpret_cast<void*>(vmi::window_base);
  void* page = mmap(wanted, vmi::huge_page_size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
  if (page == MAP_FAILED) return errno;
  std::memset(page, 1, vmi::huge_page_size);
  return madvise(page, vmi::huge_page_size, MADV_COLLAPSE) == 0 ? 0 : errno;
}

/// The child's getppid must be skipped by PTRACE_SYSEMU and answer what the tracer says.
int traced_child(pid_t tracer) {
  // A tracee whose tracer is killed before EXITKILL would stay stopped for ever.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != tracer) return code_other;
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) return errno;
  raise(SIGSTOP);
  return syscall(SYS_getppid) == 4242 ? 0 : code_other;
}

int trace(pid_t child) {
  int status;
  waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return WIFEXITED(status) ? WEXITSTATUS(status) : code_other;
  if (ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL) != 0) return errno;
  if (ptrace(PTRACE_SYSEMU, child, nullptr, nullptr) != 0) return errno;
  waitpid(child, &status, 0);
  user_regs_struct registers;
  if (!WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, child, nullptr, &registers) != 0) {
    return code_other;
  }
  registers.rax = 4242;
  if (ptrace(PTRACE_SETREGS, child, nullptr, &registers) != 0) return errno;
  if (ptrace(PTRACE_DETACH, child, nullptr, nullptr) != 0) return errno;
  return wait_for(child);
}

/// The tracer is a child too: should this process be killed now, PDEATHSIG cleans up.
int try_ptrace() {
  const pid_t tracer = getpid();
  pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(traced_child(tracer));
  int code = trace(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return code;
}

int try_private_mount() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return errno;
  if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return errno;
  return fsmount(context, FSMOUNT_CLOEXEC, 0) < 0 ? errno : 0;
}

}  // namespace

std::string seccomp_trap() {
  return in_child(try_seccomp);
}

std::string ptrace_child() {
  return in_child(try_ptrace);
}

std::string unmap_vdso() {
  return in_child(try_unmap_vdso);
}

std::string collapse_memfd() {
  return in_child(try_collapse);
}

std::string private_namespaces() {
  unsigned long spaces = CLONE_NEWNS | CLONE_NEWPID;
  if (geteuid() == 0 && in_child(try_private_mount, spaces).empty()) return "";
  return in_child(try_private_mount, spaces | CLONE_NEWUSER);
}

std::string vsyscall_permissions() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.ends_with("[vsyscall]")) return line.substr(line.find(' ') + 1, 4);
  }
  return "";
}

bool cpu_has(const std::string& flag) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word == flag) return true;
    }
    return false;
  }
  return false;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t number_in(const std::string& path, std::uint64_t otherwise) {
  std::string line = first_line(path);
  std::uint64_t number;
  auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  return error == std::errc{} ? number : otherwise;
}

std::uint64_t memory_available() {
  std::uint64_t available = UINT64_MAX;
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    if (word != "MemAvailable:") continue;
    file >> available;
    available *= 1024;
    break;
  }
  return available;
}

}  // namespace monitor::probe
