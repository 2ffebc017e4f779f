// How a guest-machine process comes to be: see guest_process.h. The order of the steps matters, and
// is the order of the functions below.
#include "monitor/guest_process.h"

#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "monitor/error.h"

namespace monitor {
namespace {

constexpr std::size_t start_stack_bytes = 256 * 1024;
constexpr std::uint64_t host_user_end = 0x7fff'ffff'f000;

struct ChildArguments {
  const GuestProcessPlan* plan;
  char* error_page;
  pid_t launcher;
};

/// Dies with the launcher, leaves no core file, and does not listen to the terminal's signals: the
/// launcher hears them and decides.
void leave_the_host(pid_t launcher) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != launcher) _exit(GuestProcess::startup_failed);
  prctl(PR_SET_NAME, "guest-machine");
  rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  for (int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE})
    ::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The host kernel must not write into what becomes guest memory: it does so at each pre-emption
/// (rseq) and at exit (robust futexes, the clear-tid pointer).
void forget_the_c_library() {
  constexpr std::uint32_t signature = 0x53053053;
  constexpr int unregister = 1;
  char* area = static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset;
  if (__rseq_size != 0 && syscall(SYS_rseq, area, 32, unregister, signature) != 0 &&
      syscall(SYS_rseq, area, __rseq_size, unregister, signature) != 0)
    throw_errno("cannot unregister the C library's restartable sequences",
                "run with GLIBC_TUNABLES=glibc.pthread.rseq=0");
  syscall(SYS_set_robust_list, nullptr, 24);
  syscall(SYS_set_tid_address, nullptr);
}

void keep_descriptors(const GuestProcessPlan& plan) {
  if (plan.memory.fd() != guest_memory_fd && dup2(plan.memory.fd(), guest_memory_fd) < 0)
    throw_errno("cannot hand guest memory to the guest-machine process");
  if (!plan.keep_stdio) close_range(0, 2, 0);
  close_range(guest_memory_fd + 1, ~0u, 0);
}

void* map_fixed(std::uint64_t address, std::uint64_t bytes, int protection, int flags, int fd,
                const char* what) {
  void* at = mmap(reinterpret_cast<void*>(address), bytes, protection, flags | MAP_FIXED, fd, 0);
  if (at == MAP_FAILED) throw_errno(std::string("cannot map ") + what);
  return at;
}

/// The top 4 GiB of the user range hold the launcher's stack and the vdso, at random addresses;
/// this code runs on a stack elsewhere, and everything there goes.
void map_machine(const GuestProcessPlan& plan) {
  if (munmap(reinterpret_cast<void*>(vmi::user_end), host_user_end - vmi::user_end) != 0)
    throw_errno("cannot unmap the host's stack and vdso",
                "a kernel with sealed system mappings cannot run a guest-machine process: boot "
                "one built without CONFIG_MSEAL_SYSTEM_MAPPINGS");
  constexpr int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  void* gate =
      map_fixed(vmi::gate_base, vmi::gate_size, PROT_READ | PROT_WRITE, anonymous, -1, "the gate");
  std::memcpy(gate, plan.gate_code.data(), plan.gate_code.size());
  char* constants = static_cast<char*>(gate) + vmi::page_size;
  std::memcpy(constants, plan.gate_constants.data(), plan.gate_constants.size());
  mprotect(gate, vmi::page_size, PROT_READ | PROT_EXEC);
  mprotect(constants, vmi::gate_size - vmi::page_size, PROT_READ);
  map_fixed(vmi::alt_stack_base, vmi::alt_stack_size, PROT_READ | PROT_WRITE,
            anonymous | MAP_POPULATE, -1, "the alternate stack");
  // Protection must be what the gate's opening asks for, or the first one splits the mapping.
  const std::uint64_t bytes = plan.map_ram ? plan.memory.total_bytes() : vmi::window_size;
  map_fixed(vmi::window_base, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED,
            guest_memory_fd, "the window");
}

void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0)
    throw_errno("cannot run on CPU " + std::to_string(cpu), "choose a CPU this process may use");
}

int child_main(void* argument) {
  const auto& [plan, error_page, launcher] = *static_cast<ChildArguments*>(argument);
  try {
    leave_the_host(launcher);
    forget_the_c_library();
    keep_descriptors(*plan);
    pin(plan->cpu);
    map_machine(*plan);
    if (plan->last_hosted_step) plan->last_hosted_step();
  } catch (const std::exception& error) {
    std::snprintf(error_page, vmi::page_size, "%s", error.what());
    _exit(GuestProcess::startup_failed);
  }
  asm volatile(
      "mov %0, %%rsp\n"
      "xor %%ebp, %%ebp\n"
      "jmp *%1\n"
      :
      : "r"(plan->stack), "r"(plan->entry)
      : "memory");
  __builtin_unreachable();
}

void* map_shared(std::size_t bytes, int flags) {
  void* page = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw_errno("cannot map memory for a guest-machine process");
  return page;
}

}  // namespace

GuestProcess::GuestProcess(const GuestProcessPlan& plan) {
  error_page_ = static_cast<char*>(map_shared(vmi::page_size, MAP_SHARED));
  char* stack = static_cast<char*>(map_shared(start_stack_bytes, MAP_PRIVATE));
  ChildArguments arguments{&plan, error_page_, getpid()};
  // Without CLONE_VM the child has its own copy of everything, this stack included.
  pid_ = clone(child_main, stack + start_stack_bytes, SIGCHLD, &arguments);
  const int saved = errno;
  munmap(stack, start_stack_bytes);
  if (pid_ < 0) {
    munmap(error_page_, vmi::page_size);
    errno = saved;
    throw_errno("cannot make the guest-machine process",
                "check the limits on processes (ulimit -u, cgroup pids.max)");
  }
}

GuestProcess::~GuestProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
  munmap(error_page_, vmi::page_size);
}

}  // namespace monitor
