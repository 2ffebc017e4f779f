// See debug_stub.h. gdb is told of one thread, and of the general registers only: guest kernels use
// no others. Packets it need not know are answered by nothing, which means "not supported".
#include "monitor/gdb/debug_stub.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

namespace monitor {
namespace {

constexpr char ok[] = "OK", failed[] = "E01", stopped[] = "S05";  // 05: SIGTRAP
constexpr std::size_t most_memory = 0x1000;                       // in one packet
constexpr std::uint64_t trap_flag = 0x100;

/// gdb's order, and how many bytes of each it wants.
struct Register {
  unsigned long long user_regs_struct::*member;
  std::size_t bytes;
};
using R = user_regs_struct;
constexpr Register registers[] = {
    {&R::rax, 8}, {&R::rbx, 8}, {&R::rcx, 8}, {&R::rdx, 8}, {&R::rsi, 8}, {&R::rdi, 8},
    {&R::rbp, 8}, {&R::rsp, 8}, {&R::r8, 8},  {&R::r9, 8},  {&R::r10, 8}, {&R::r11, 8},
    {&R::r12, 8}, {&R::r13, 8}, {&R::r14, 8}, {&R::r15, 8}, {&R::rip, 8}, {&R::eflags, 4},
    {&R::cs, 4},  {&R::ss, 4},  {&R::ds, 4},  {&R::es, 4},  {&R::fs, 4},  {&R::gs, 4}};

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  for (std::byte b : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return text;
}

/// A number in hex at the front of `text`, and the separator behind it, are taken away.
std::uint64_t take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, 16).ptr;
  text.remove_prefix(std::min<std::size_t>(end - text.data() + 1, text.size()));
  return value;
}

std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (; text.size() >= 2; text.remove_prefix(2)) {
    unsigned value = 0;
    std::from_chars(text.data(), text.data() + 2, value, 16);
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

}  // namespace

void DebugStub::begin(pid_t pid, const GuestMemory& memory) {
  pid_ = pid;
  memory_ = &memory;
  serve();
}

bool DebugStub::claim(pid_t pid, int signal) {
  siginfo_t info{};
  if (signal != SIGTRAP || ptrace(PTRACE_GETSIGINFO, pid, nullptr, &info) != 0) return false;
  const bool asked = interrupting_ && info.si_code == SI_TKILL;
  if (info.si_code != TRAP_HWBKPT && !(stepping_ && info.si_code == TRAP_TRACE) && !asked)
    return false;
  if (asked) interrupting_ = false;
  pid_ = pid;
  if (stepping_) set_trap_flag(false);
  stepping_ = false;
  connection_.send(stopped);
  serve();
  return true;
}

void DebugStub::look(pid_t running) {
  if (interrupting_ || !connection_.interrupted()) return;
  interrupting_ = true;
  syscall(SYS_tgkill, running, running, SIGTRAP);
}

void DebugStub::ended(int exit_status) {
  connection_.send_last(fmt::format("W{:02x}", exit_status & 0xff));
}

void DebugStub::serve() {
  while (const auto packet = connection_.receive()) {
    switch (packet->empty() ? '\0' : packet->front()) {
      case 's':
        stepping_ = true;
        // The tracer's own single step would take the place of its stops at host calls.
        set_trap_flag(true);
        return;
      case 'c':
        return;
      case 'k':
        kill(pid_, SIGKILL);
        return;
      case 'D':
        connection_.send(ok);
        return let_go();
      default:
        connection_.send(answer(*packet));
    }
  }
  let_go();
}

/// gdb has left: the guest goes on by itself.
void DebugStub::let_go() {
  breakpoints_ = {};
  load_breakpoints(pid_);
  changed_ = true;
  connection_.close();
}

std::string DebugStub::answer(std::string_view packet) {
  const char kind = packet.empty() ? '\0' : packet.front();
  const std::string_view rest = packet.substr(packet.empty() ? 0 : 1);
  switch (kind) {
    case '?':
      return stopped;
    case 'H':
      return ok;
    case 'g':
      return read_registers();
    case 'G':
      return write_registers(rest);
    case 'm':
      return read_memory(rest);
    case 'M':
      return write_memory(rest);
    case 'Z':
    case 'z':
      return set_breakpoint(rest, kind == 'Z');
    default:
      if (packet.starts_with("qSupported"))
        return fmt::format("PacketSize={:x}", 2 * most_memory + 64);
      if (packet.starts_with("qAttached")) return "1";  // so that gdb's `quit` lets it go
      return "";
  }
}

// -- Registers --

std::string DebugStub::read_registers() {
  user_regs_struct values{};
  if (ptrace(PTRACE_GETREGS, pid_, nullptr, &values) != 0) return failed;
  std::string text;
  for (const Register& r : registers)
    text += to_hex(std::as_bytes(std::span(&(values.*r.member), 1)).first(r.bytes));
  return text;
}

std::string DebugStub::write_registers(std::string_view hex) {
  user_regs_struct values{};
  if (ptrace(PTRACE_GETREGS, pid_, nullptr, &values) != 0) return failed;
  const auto bytes = from_hex(hex);
  std::size_t at = 0;
  for (const Register& r : registers) {
    if (at + r.bytes > bytes.size()) break;
    std::memcpy(&(values.*r.member), &bytes[at], r.bytes);
    at += r.bytes;
  }
  return ptrace(PTRACE_SETREGS, pid_, nullptr, &values) == 0 ? ok : failed;
}

void DebugStub::set_trap_flag(bool on) {
  user_regs_struct values{};
  if (ptrace(PTRACE_GETREGS, pid_, nullptr, &values) != 0) return;
  values.eflags = on ? values.eflags | trap_flag : values.eflags & ~trap_flag;
  ptrace(PTRACE_SETREGS, pid_, nullptr, &values);
}

// -- Memory --

/// Window and attic may be closed, or not mapped at all: their memory is in the launcher, too.
bool DebugStub::transfer(std::uint64_t address, std::span<std::byte> bytes, bool write) {
  std::byte* in_window = bytes.empty() ? nullptr : memory_->at(address);
  if (in_window && memory_->at(address + bytes.size() - 1) == in_window + bytes.size() - 1) {
    if (write)
      std::copy(bytes.begin(), bytes.end(), in_window);
    else
      std::copy_n(in_window, bytes.size(), bytes.begin());
    return true;
  }
  const int memory = open(fmt::format("/proc/{}/mem", pid_).c_str(), O_RDWR | O_CLOEXEC);
  const auto offset = static_cast<off_t>(address);
  const ssize_t done = write ? pwrite(memory, bytes.data(), bytes.size(), offset)
                             : pread(memory, bytes.data(), bytes.size(), offset);
  close(memory);
  return done == static_cast<ssize_t>(bytes.size());
}

std::string DebugStub::read_memory(std::string_view arguments) {
  const std::uint64_t address = take_number(arguments);
  std::vector<std::byte> bytes(std::min<std::size_t>(take_number(arguments), most_memory));
  return transfer(address, bytes, false) ? to_hex(bytes) : failed;
}

std::string DebugStub::write_memory(std::string_view arguments) {
  const std::uint64_t address = take_number(arguments);
  take_number(arguments);  // as many bytes as follow
  auto bytes = from_hex(arguments);
  return transfer(address, bytes, true) ? ok : failed;
}

// -- Breakpoints --

/// Arguments: type (0: in software, 1: the processor's; both become the latter), address, size.
std::string DebugStub::set_breakpoint(std::string_view arguments, bool wanted) {
  if (take_number(arguments) > 1) return "";
  const std::uint64_t address = take_number(arguments);
  auto known = std::find(breakpoints_.begin(), breakpoints_.end(), address);
  if ((known != breakpoints_.end()) == wanted) return ok;
  if (wanted) known = std::find(breakpoints_.begin(), breakpoints_.end(), std::nullopt);
  if (known == breakpoints_.end()) return failed;  // all in use
  *known = wanted ? std::optional(address) : std::nullopt;
  changed_ = true;
  if (load_breakpoints(pid_)) return ok;
  known->reset();
  return failed;
}

bool DebugStub::load_breakpoints(pid_t pid) const {
  auto set = [&](std::size_t i, std::uint64_t value) {
    return ptrace(PTRACE_POKEUSER, pid, offsetof(user, u_debugreg) + i * 8, value) == 0;
  };
  constexpr std::size_t control = 7;
  bool good = set(control, 0);  // the host takes addresses of disabled ones only
  std::uint64_t enabled = 0;
  for (std::size_t i = 0; i < breakpoints_.size(); ++i) {
    if (!breakpoints_[i]) continue;
    good = good && set(i, *breakpoints_[i]);
    enabled |= 1ul << (2 * i);  // of one byte, at execution
  }
  return good && set(control, enabled);
}

}  // namespace monitor
