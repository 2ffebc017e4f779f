// The resident image's first page, as the launcher sees it through its own mapping of the window:
// what it tells the resident part before the start, and what it reads after the end.
#pragma once

#include <atomic>
#include <cstdint>

#include "devices/marker_log.h"
#include "extended-vmm/axes.h"
#include "extended-vmm/protect/policy.h"
#include "vmi/hypercalls.h"

namespace extended {

/// Launcher to resident part, written once before the first instruction.
struct StartInfo {
  Trap trap;
  Protection protection;
  Spaces spaces;
  std::int32_t launcher;  // pid
  std::uint64_t ram_bytes;
  std::uint32_t attic_slabs;
  std::uint64_t xsave_bytes, xsave_features;  // BootInfo's
  std::uint64_t block_bytes;                  // size of the disk image; 0: none
  std::uint32_t block_read_only;
  std::uint32_t has_sockets;          // a socket device
  std::uint32_t direct_saved_offset;  // in the gate: Gate::direct_saved_offset
};

enum Turn : std::uint32_t {
  turn_wait = 0,     // parked
  turn_run = 1,      // given its turn, and not awake yet
  turn_end = 2,      // to exit
  turn_rescue = 3,   // to take the place of the one that ran (launcher, spaces/members.cpp)
  turn_at_work = 4,  // awake: it is the one that runs
};
/// In place of a pid: this process died, and was reaped. Another is made when it is needed.
inline constexpr std::int32_t pid_gone = -1;

/// A host process of the machine (spaces/pool.cpp).
struct Member {
  std::atomic<std::uint32_t> turn;  // futex: a Turn calls the parked process back
  std::atomic<std::int32_t> pid;    // 0: never made. Written by the host kernel as it is made
  std::uint64_t parking_stack[7];   // for host calls from assembly
};

/// One for each address space that lives at once, and there is one more process than spaces while
/// execve has two. The first is the process that the launcher made.
inline constexpr std::uint32_t most_members = 544;
struct Members {
  std::uint32_t made;  // processes made so far: they are the first ones of the table
  std::atomic<std::uint32_t> running;  // whose turn it is
  Member table[most_members];
};

/// A call site that can be patched: a `syscall` (0f 05) right behind what loads the number, by
/// `mov $number, %eax` (b8 imm32) or, zero being that of read(), `xor %eax, %eax` (31 c0).
inline constexpr std::uint64_t mov_bytes = 5, xor_bytes = 2, syscall_bytes = 2;
inline constexpr std::uint8_t opcode_mov_eax = 0xb8, xor_eax[xor_bytes] = {0x31, 0xc0};
/// What takes a number's place: jumps as long as the instructions that load it.
inline constexpr std::uint64_t jump_bytes = 5;

/// All that is judged of a site: the code around it that lies on its page. Of the page before,
/// another process may have another one. What is not used is zero.
inline constexpr std::uint32_t most_before = 64, most_after = 136;
struct SiteCode {
  std::uint16_t page_offset;   // where the `syscall` instruction ends, 1 to page_size
  std::uint8_t load_bytes;     // of the instruction that loads the number
  std::uint8_t before, after;  // bytes of code up to the end of the `syscall`, and behind it
  std::uint8_t bytes[most_before + most_after];
  friend bool operator==(const SiteCode&, const SiteCode&) = default;
};

/// "Is what stands before this `syscall` instruction one whole instruction that loads its number?
/// And if it is too short for a jump to anywhere, where does a jump have room near by?" Asked by
/// the resident part (trap/sites.cpp), which goes on meanwhile; answered by the launcher
/// (trap/call_site.cpp).
enum class Verdict : std::uint32_t { none, asked, yes, no };
struct SiteQuestion {
  std::atomic<Verdict> verdict;
  std::uint32_t room;  // answer: bytes from behind the `syscall` to the room for a jump
  SiteCode code;
};
inline constexpr std::uint32_t most_questions = 32;

enum class Ending : std::uint32_t {
  none,      // the process died under us
  shutdown,  // the guest asked for it: wait_status
  death,     // guest kernel or resident part gave up: message, registers
};

/// Registers of the kernel code that died, in the order of monitor::KernelRegisters.
struct DeathRegisters {
  std::uint64_t rip, rsp, rbp, rbx, r12, r13, r14, r15;
  std::uint64_t rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rflags;
};

/// Resident part to launcher: valid once the process has ended.
struct Report {
  Ending ending;
  std::int32_t wait_status;
  std::uint64_t start_tsc;       // the resident part's first instruction
  std::uint64_t first_user_tsc;  // just before the first guest user instruction; 0: never reached
  char message[256];
  DeathRegisters registers;
  devices::MarkerLog markers;
};

struct ResidentImage {
  vmi::Hypercalls hypercalls;
  void (*start)();  // entered once, on start_stack, by the launched process
  const void* start_stack;
  void (*signal_entry)();        // where the gate jumps once the window is open
  void (*direct_entry)();        // the same for patched call sites
  void (*not_closed)();          // and if the window does not close
  void (*signal_return)();       // the handlers' restorer
  const void* signal_return_ip;  // address after its rt_sigreturn
  const void* host_call_ip;      // address after the one syscall instruction for host calls
  StartInfo start_info;
  Report report;
  Members members;
  SiteQuestion questions[most_questions];
};

}  // namespace extended
