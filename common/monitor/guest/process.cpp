// How a guest-machine process comes to be: see guest_process.h. The order of the steps matters, and
// is the order of the functions below.
#include "monitor/guest/process.h"

#include <fcntl.h>
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
#include <memory>
#include <vector>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

constexpr std::size_t start_stack_bytes = 256 * 1024;
// Above it, the C library and its like may lie where the host does not randomize addresses.
constexpr std::uint64_t machine_end = vmi::ram_base + vmi::ram_max;

/// All that the child needs, on the heap: it unmaps the stack on which the launcher's own plan is.
struct ChildPlan {
  GuestProcessPlan plan;
  std::vector<std::byte> gate_constants;
  int memory_fd;
  std::uint64_t mapped_bytes;
  char* error_page;
  pid_t launcher;
};

/// Dies with the launcher, leaves no core file, and does not listen to the terminal's signals: the
/// launcher hears them and decides.
void leave_the_host(pid_t launcher) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != launcher) _exit(GuestProcess::startup_failed);
  prctl(PR_SET_NAME, GuestProcess::name);
  rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  for (int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGXFSZ})
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

/// The launcher's own number of one may be another's new one: all are moved away first.
void keep_descriptors(int memory_fd, const GuestProcessPlan& plan) {
  struct {
    int fd, wanted;
    const char* what;
  } kept[] = {{memory_fd, guest_memory_fd, "guest memory"},
              {plan.block_fd, guest_block_fd, "the disk image"},
              {plan.wake_fd, guest_wake_fd, "the launcher's eventfd"},
              {plan.doorbell_fd, guest_doorbell_fd, "the socket device's doorbell"},
              {plan.awake_fd, guest_awake_fd, "what wakes the guest"}};
  constexpr int out_of_the_way = 16;
  for (auto& [fd, wanted, what] : kept)
    if (fd >= 0 && (fd = fcntl(fd, F_DUPFD, out_of_the_way)) < 0)
      throw_errno(std::string("cannot keep ") + what);
  close_range(plan.keep_stdio ? 3 : 0, out_of_the_way - 1, 0);
  for (auto& [fd, wanted, what] : kept)
    if (fd >= 0 && dup2(fd, wanted) < 0)
      throw_errno(std::string("cannot hand ") + what + " to the guest-machine process");
  close_range(out_of_the_way, ~0u, 0);
}

void* map_fixed(std::uint64_t address, std::uint64_t bytes, int protection, int flags, int fd,
                const char* what) {
  void* at = mmap(reinterpret_cast<void*>(address), bytes, protection, flags | MAP_FIXED, fd, 0);
  if (at == MAP_FAILED) throw_errno(std::string("cannot map ") + what);
  return at;
}

/// The launcher's stack and the vdso lie at random addresses in the top 16 GiB of the user range,
/// often where the machine belongs; this code runs on a stack elsewhere, and they go.
void map_machine(const ChildPlan& child) {
  if (munmap(reinterpret_cast<void*>(vmi::user_end), machine_end - vmi::user_end) != 0)
    throw_errno("cannot unmap the host's stack and vdso",
                "a kernel with sealed system mappings cannot run a guest-machine process: boot "
                "one built without CONFIG_MSEAL_SYSTEM_MAPPINGS");
  constexpr int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  void* gate =
      map_fixed(vmi::gate_base, vmi::gate_size, PROT_READ | PROT_WRITE, anonymous, -1, "the gate");
  std::memset(gate, 0xcc, vmi::page_size);  // int3 wherever there is no code
  std::memcpy(gate, child.plan.gate_code.data(), child.plan.gate_code.size());
  char* constants = static_cast<char*>(gate) + vmi::page_size;
  std::memcpy(constants, child.gate_constants.data(), child.gate_constants.size());
  mprotect(gate, vmi::page_size, PROT_READ | PROT_EXEC);
  mprotect(constants, vmi::gate_size - vmi::page_size, PROT_READ);
  // Shared with whatever this process clones: all processes of a machine have one signal stack.
  map_fixed(vmi::alt_stack_base, vmi::alt_stack_size, PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, "the alternate stack");
  // Protection must be what the gate's opening asks for, or the first one splits the mapping.
  map_fixed(vmi::window_base, child.mapped_bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED,
            guest_memory_fd, "the window");
}

int child_main(void* argument) {
  const ChildPlan& child = *static_cast<ChildPlan*>(argument);
  try {
    leave_the_host(child.launcher);
    forget_the_c_library();
    keep_descriptors(child.memory_fd, child.plan);
    map_machine(child);
    if (child.plan.last_hosted_step) child.plan.last_hosted_step();
  } catch (const std::exception& error) {
    std::snprintf(child.error_page, vmi::page_size, "%s", error.what());
    _exit(GuestProcess::startup_failed);
  }
  asm volatile(
      "mov %0, %%rsp\n"
      "xor %%ebp, %%ebp\n"
      "jmp *%1\n"
      :
      : "r"(child.plan.stack), "r"(child.plan.entry)
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
  const auto child = std::make_unique<ChildPlan>(
      ChildPlan{plan,
                {plan.gate_constants.begin(), plan.gate_constants.end()},
                plan.memory.fd(),
                plan.map_ram ? plan.memory.total_bytes() : vmi::window_size,
                error_page_,
                getpid()});
  // Without CLONE_VM the child has its own copy of everything, this stack included.
  pid_ = clone(child_main, stack + start_stack_bytes, SIGCHLD, child.get());
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

std::string GuestProcess::startup_error() const {
  return {error_page_, strnlen(error_page_, vmi::page_size)};
}

}  // namespace monitor
