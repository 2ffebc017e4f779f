// Builds the filter: see filter.h. Sites are told apart by exact address. A page-granular test
// could be bypassed (a user page that ends in `0f 05`, just before the gate), and so could a test
// of the address alone for the two calls in the gate: user code can jump there with its own
// arguments, so these compare every argument too. The calls made inside the window need no such
// care: user code cannot reach a closed window. Their numbers are listed all the same.
#include "extended-vmm/trap/filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "monitor/error.h"
#include "monitor/guest_process.h"

namespace extended {
namespace {

/// Host calls the resident part makes from inside the window.
constexpr std::uint32_t window_calls[] = {
    SYS_mmap,      SYS_munmap,        SYS_mprotect,  SYS_pread64,    SYS_pwrite64,
    SYS_pwritev,   SYS_sigaltstack,   SYS_read,      SYS_write,      SYS_ppoll,
    SYS_getrandom, SYS_clock_gettime, SYS_setitimer, SYS_exit_group, SYS_fdatasync,
    SYS_futex,     SYS_clone,         SYS_prctl,     SYS_getppid,    SYS_rt_sigprocmask,
    SYS_lseek,     SYS_sendfile};

struct GateCall {
  std::uint64_t ip, number;
  std::vector<std::uint64_t> arguments;  // as many as the call has
};

/// The most frequent first.
std::vector<GateCall> gate_calls(const HostCallSites& sites) {
  constexpr std::uint64_t rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
  std::vector<GateCall> calls;
  auto opens = [&](std::uint64_t ip) {
    if (sites.protect == Protect::mprotect)
      calls.push_back({ip, SYS_mprotect, {vmi::window_base, vmi::window_size, rwx}});
    else
      calls.push_back({ip,
                       SYS_mmap,
                       {vmi::window_base, sites.mapping_bytes, rwx, MAP_SHARED | MAP_FIXED,
                        monitor::guest_memory_fd, 0}});
  };
  auto closes = [&](std::uint64_t ip) {
    if (sites.protect == Protect::mprotect)
      calls.push_back({ip, SYS_mprotect, {vmi::window_base, vmi::window_size, PROT_NONE}});
    else
      calls.push_back({ip, SYS_munmap, {vmi::window_base, sites.mapping_bytes}});
  };
  if (sites.protect == Protect::none) return calls;
  if (sites.direct_opened != vmi::gate_base) {
    opens(sites.direct_opened);
    closes(sites.direct_closed);
  }
  opens(sites.opened);
  closes(sites.closed);
  return calls;
}

constexpr std::uint32_t low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
constexpr std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

/// A straight-line assembler for "if this, and this, then ALLOW; else go on with the next rule".
class Rules {
 public:
  void load(std::size_t offset) {
    code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  /// The loaded word must be `value`, or the call is nobody's of ours: trap at once.
  void demand(std::uint32_t value) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
    answer(SECCOMP_RET_TRAP);
  }
  /// The loaded word must be `value`, or this rule does not apply.
  void require(std::uint32_t value) {
    pending_.push_back(code_.size());
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0));
  }
  void require_any(std::span<const std::uint32_t> values) {
    for (std::size_t i = 0; i + 1 < values.size(); ++i)
      code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, values[i],
                               static_cast<std::uint8_t>(values.size() - 1 - i), 0));
    require(values.back());
  }
  void answer(std::uint32_t action) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, action)); }
  void end_rule() {
    answer(SECCOMP_RET_ALLOW);
    for (std::size_t at : pending_) code_[at].jf = static_cast<std::uint8_t>(code_.size() - at - 1);
    pending_.clear();
  }
  std::vector<sock_filter> take() { return std::move(code_); }

 private:
  std::vector<sock_filter> code_;
  std::vector<std::size_t> pending_;
};

constexpr std::size_t ip_offset = offsetof(seccomp_data, instruction_pointer);
constexpr std::size_t number_offset = offsetof(seccomp_data, nr);

void add_gate_call(Rules& rules, const GateCall& call) {
  rules.load(ip_offset);
  rules.require(low(call.ip));
  rules.load(number_offset);
  rules.require(low(call.number));
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const std::size_t argument = offsetof(seccomp_data, args) + 8 * i;
    rules.load(argument);
    rules.require(low(call.arguments[i]));
    rules.load(argument + 4);
    rules.require(high(call.arguments[i]));
  }
  rules.end_rule();
}

}  // namespace

std::vector<sock_filter> make_filter(const HostCallSites& sites) {
  Rules rules;
  // 32-bit code is the guest's; so is all code outside the top 4 GiB.
  rules.load(offsetof(seccomp_data, arch));
  rules.demand(AUDIT_ARCH_X86_64);
  rules.load(ip_offset + 4);
  rules.demand(high(vmi::window_base));
  for (const GateCall& call : gate_calls(sites)) add_gate_call(rules, call);
  rules.load(ip_offset);
  rules.require(low(sites.host_call));
  rules.load(number_offset);
  rules.require_any(window_calls);
  rules.end_rule();
  rules.load(ip_offset);
  rules.require(low(sites.signal_return));
  rules.load(number_offset);
  rules.require(SYS_rt_sigreturn);
  rules.end_rule();
  rules.answer(SECCOMP_RET_TRAP);
  return rules.take();
}

bool is_allowed(const HostCallSites& sites, std::uint32_t arch, std::uint64_t ip,
                std::uint64_t number, const std::uint64_t (&arguments)[6]) {
  if (arch != AUDIT_ARCH_X86_64) return false;
  if (ip == sites.host_call)
    return std::find(std::begin(window_calls), std::end(window_calls), number) !=
           std::end(window_calls);
  if (ip == sites.signal_return) return number == SYS_rt_sigreturn;
  for (const GateCall& call : gate_calls(sites))
    if (call.ip == ip && call.number == number)
      return std::equal(call.arguments.begin(), call.arguments.end(), arguments);
  return false;
}

void install_filter(const std::vector<sock_filter>& filter) {
  sock_fprog program{static_cast<unsigned short>(filter.size()),
                     const_cast<sock_filter*>(filter.data())};
  // SPEC_ALLOW: a filter must not switch on speculation barriers that standalone runs without.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) != 0)
    monitor::throw_errno("cannot install a seccomp filter",
                         "the host kernel needs CONFIG_SECCOMP_FILTER, and the container must "
                         "allow the seccomp system call");
}

}  // namespace extended
