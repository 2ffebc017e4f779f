// Builds the filter: see filter.h. Sites are told apart by exact address. A page-granular test
// could be bypassed (a user page that ends in `0f 05`, just before the gate), and so could a test
// of the address alone for the two calls in the gate: user code can jump there with its own
// arguments, so these compare every argument too. The calls made inside the window user code cannot
// reach while the window is closed. Their arguments are compared all the same, with a table
// (host_calls.h): a mistake that lets guest code into an open window is not yet a way out.
#include "extended-vmm/trap/filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <set>
#include <utility>

#include "extended-vmm/trap/host_calls.h"
#include "monitor/guest/process.h"
#include "monitor/tool/error.h"

namespace extended {
namespace {

struct GateCall {
  std::uint64_t ip, number;
  std::vector<std::uint64_t> arguments;  // as many as the call has
};

/// The most frequent first.
std::vector<GateCall> gate_calls(const HostCallSites& sites) {
  constexpr std::uint64_t rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
  std::vector<GateCall> calls;
  auto opens = [&](std::uint64_t ip) {
    if (sites.protection.window == Window::changes_access)
      calls.push_back({ip, SYS_mprotect, {vmi::window_base, vmi::window_size, rwx}});
    else
      calls.push_back({ip,
                       SYS_mmap,
                       {vmi::window_base, sites.mapping_bytes, rwx, MAP_SHARED | MAP_FIXED,
                        monitor::guest_memory_fd, 0}});
  };
  auto closes = [&](std::uint64_t ip) {
    if (sites.protection.window == Window::changes_access)
      calls.push_back({ip, SYS_mprotect, {vmi::window_base, vmi::window_size, PROT_NONE}});
    else
      calls.push_back({ip, SYS_munmap, {vmi::window_base, sites.mapping_bytes}});
  };
  if (sites.protection.window == Window::stays_open) return calls;
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

/// An assembler for "if this, and this, then ALLOW; else go on with the next rule".
class Rules {
 public:
  void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  /// The loaded word must be `value`, or the call is nobody's of ours: trap at once.
  void demand(std::uint32_t value) {
    jump(BPF_JEQ, value, 1, 0);
    answer(SECCOMP_RET_TRAP);
  }
  /// The loaded word must be `value`, or this rule does not apply.
  void require(std::uint32_t value) { jump(BPF_JEQ, value, 0, next_rule); }
  void answer(std::uint32_t action) { add(BPF_RET | BPF_K, action); }
  void end_rule() {
    answer(SECCOMP_RET_ALLOW);
    for (auto [at, way] : pending_)
      code_[at].*way = static_cast<std::uint8_t>(code_.size() - at - 1);
    pending_.clear();
  }
  /// What follows, up to end_group(), is for calls with the loaded number alone.
  void begin_group(std::uint32_t number) {
    jump(BPF_JEQ, number, 1, 0);
    group_ = code_.size();
    add(BPF_JMP | BPF_JA, 0);
  }
  void end_group() {
    answer(SECCOMP_RET_TRAP);
    code_[group_].k = static_cast<std::uint32_t>(code_.size() - group_ - 1);
  }
  void limit(const Limit& limit);
  std::vector<sock_filter> take() { return std::move(code_); }

 private:
  static constexpr std::uint8_t next_rule = 0xff;

  void add(std::uint16_t operation, std::uint32_t value) {
    code_.push_back({operation, 0, 0, value});
  }
  /// Compares the loaded word: how many instructions to skip, or next_rule.
  void jump(std::uint16_t test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
    if (yes == next_rule) pending_.emplace_back(code_.size(), &sock_filter::jt);
    if (no == next_rule) pending_.emplace_back(code_.size(), &sock_filter::jf);
    code_.push_back({static_cast<std::uint16_t>(BPF_JMP | test), yes, no, value});
  }
  void load_low(int argument) { load(offsetof(seccomp_data, args) + 8 * argument); }
  void load_high(int argument) { load(offsetof(seccomp_data, args) + 8 * argument + 4); }
  void equals(int argument, std::uint64_t value);
  void at_least(int argument, std::uint64_t value);
  void at_most(int argument, std::uint64_t value);
  void sum_at_most(int one, int other, std::uint64_t value);
  void step(const Limit& limit);
  void follows(int argument, int other, std::uint64_t distance);

  std::vector<sock_filter> code_;
  std::vector<std::pair<std::size_t, std::uint8_t sock_filter::*>> pending_;
  std::size_t group_ = 0;
};

void Rules::equals(int argument, std::uint64_t value) {
  load_low(argument);
  require(low(value));
  load_high(argument);
  require(high(value));
}

void Rules::at_least(int argument, std::uint64_t value) {
  load_high(argument);
  jump(BPF_JGT, high(value), 3, 0);
  require(high(value));
  load_low(argument);
  jump(BPF_JGE, low(value), 0, next_rule);
}

void Rules::at_most(int argument, std::uint64_t value) {
  load_high(argument);
  jump(BPF_JGT, high(value), next_rule, 0);
  jump(BPF_JEQ, high(value), 0, 2);
  load_low(argument);
  jump(BPF_JGT, low(value), next_rule, 0);
}

/// Both are at most `value`, and it is below 2^63: nothing but the carry between words overflows.
void Rules::sum_at_most(int one, int other, std::uint64_t value) {
  load_low(other);
  add(BPF_MISC | BPF_TAX, 0);
  load_low(one);
  add(BPF_ALU | BPF_ADD | BPF_X, 0);
  add(BPF_ST, 0);
  jump(BPF_JGE | BPF_X, 0, 3, 0);  // no carry
  load_high(other);
  add(BPF_ALU | BPF_ADD | BPF_K, 1);
  add(BPF_JMP | BPF_JA, 1);
  load_high(other);
  add(BPF_MISC | BPF_TAX, 0);
  load_high(one);
  add(BPF_ALU | BPF_ADD | BPF_X, 0);
  jump(BPF_JGT, high(value), next_rule, 0);
  jump(BPF_JEQ, high(value), 0, 2);
  add(BPF_LD | BPF_MEM, 0);
  jump(BPF_JGT, low(value), next_rule, 0);
}

void Rules::step(const Limit& limit) {
  load_high(limit.argument);
  require(high(limit.begin));
  load_low(limit.argument);
  add(BPF_ALU | BPF_SUB | BPF_K, low(limit.begin));
  jump(BPF_JGT, low(limit.end - limit.begin - 1), next_rule, 0);
  jump(BPF_JSET, low(limit.value - 1), next_rule, 0);
}

void Rules::follows(int argument, int other, std::uint64_t distance) {
  load_low(other);
  add(BPF_ALU | BPF_SUB | BPF_K, low(distance));
  add(BPF_MISC | BPF_TAX, 0);
  load_low(argument);
  jump(BPF_JEQ | BPF_X, 0, 0, next_rule);
  load_high(argument);
  require(0);
}

void Rules::limit(const Limit& limit) {
  switch (limit.kind) {
    case Limit::Kind::equals:
      return equals(limit.argument, limit.value);
    case Limit::Kind::at_most:
      return at_most(limit.argument, limit.value);
    case Limit::Kind::bits:
      load_low(limit.argument);
      jump(BPF_JSET, ~low(limit.value), next_rule, 0);
      load_high(limit.argument);
      return require(0);
    case Limit::Kind::lies_in:
      at_least(limit.argument, limit.begin);
      if (limit.length == Limit::no_length) return at_most(limit.argument, limit.end - limit.value);
      at_most(limit.argument, limit.end);
      at_most(limit.length, limit.end - limit.begin);
      return sum_at_most(limit.argument, limit.length, limit.end);
    case Limit::Kind::step:
      return step(limit);
    case Limit::Kind::follows:
      return follows(limit.argument, limit.length, limit.value);
  }
}

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

/// All rules with one number make one group: the others skip it at once.
void add_window_calls(Rules& rules, const std::vector<HostCallRule>& table) {
  std::set<std::uint32_t> done;
  for (const HostCallRule& first : table) {
    if (!done.insert(first.number).second) continue;
    rules.begin_group(first.number);
    for (const HostCallRule& rule : table) {
      if (rule.number != first.number) continue;
      for (const Limit& limit : rule.limits) rules.limit(limit);
      rules.end_rule();
    }
    rules.end_group();
  }
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
  rules.require(low(sites.signal_return));
  rules.load(number_offset);
  rules.require(SYS_rt_sigreturn);
  rules.end_rule();
  rules.load(ip_offset);
  rules.demand(low(sites.host_call));
  rules.load(number_offset);
  add_window_calls(rules, window_calls(sites));
  rules.answer(SECCOMP_RET_TRAP);
  return rules.take();
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
