// Prints extended-vmm/constants.h, for the assembly of gate and resident part and for the latter's
// linker script: see common/build/constants.h.
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "build/constants.h"
#include "extended-vmm/resident/image.h"
#include "extended-vmm/trap/gate.h"
#include "extended-vmm/trap/trap_state.h"
#include "monitor/guest/process_fd.h"

namespace {

using namespace extended;

/// Offsets from the gate's beginning.
void gate() {
  constexpr std::uint64_t constants = gate_constants_base - vmi::gate_base;
  constant("GATE_signal_entry", constants + offsetof(GateConstants, signal_entry));
  constant("GATE_mapping_bytes", constants + offsetof(GateConstants, mapping_bytes));
  constant("GATE_direct_entry", constants + offsetof(GateConstants, direct_entry));
  constant("GATE_not_closed", constants + offsetof(GateConstants, not_closed));
  constant("GATE_EXIT", gate_exit - vmi::gate_base);
  constant("GATE_DIRECT_ENTRY", gate_direct_entry - vmi::gate_base);
  constant("GATE_DIRECT_EXIT", gate_direct_exit - vmi::gate_base);
  constant("GATE_END", gate_end - vmi::gate_base);
}

void exit_block() {
  constant("EXIT_BLOCK_BASE", exit_block_base);
  OFFSET("EXIT", ExitBlock, r8);
  OFFSET("EXIT", ExitBlock, r9);
  OFFSET("EXIT", ExitBlock, r10);
  OFFSET("EXIT", ExitBlock, r11);
  OFFSET("EXIT", ExitBlock, r12);
  OFFSET("EXIT", ExitBlock, r13);
  OFFSET("EXIT", ExitBlock, r14);
  OFFSET("EXIT", ExitBlock, r15);
  OFFSET("EXIT", ExitBlock, rdi);
  OFFSET("EXIT", ExitBlock, rsi);
  OFFSET("EXIT", ExitBlock, rbp);
  OFFSET("EXIT", ExitBlock, rbx);
  OFFSET("EXIT", ExitBlock, rdx);
  OFFSET("EXIT", ExitBlock, rax);
  OFFSET("EXIT", ExitBlock, rcx);
  OFFSET("EXIT", ExitBlock, rip);
  OFFSET("EXIT", ExitBlock, rflags);
}

void direct_block() {
  constant("DIRECT_BLOCK_BASE", direct_block_base);
  OFFSET("DIRECT", DirectBlock, rdi);
  OFFSET("DIRECT", DirectBlock, rsi);
  OFFSET("DIRECT", DirectBlock, rdx);
  OFFSET("DIRECT", DirectBlock, rax);
  OFFSET("DIRECT", DirectBlock, return_address);
  OFFSET("DIRECT", DirectBlock, r8);
  OFFSET("DIRECT", DirectBlock, r9);
  OFFSET("DIRECT", DirectBlock, r10);
}

void trap_state_of_direct_entries() {
  OFFSET("TRAP", TrapState, direct_frame);
  OFFSET("TRAP", TrapState, direct_upcall);
}

void stamps() {
  constant("STAMPS_BASE", stamps_base);
  OFFSET("STAMPS", Stamps, entered);
  OFFSET("STAMPS", Stamps, left);
}

void members() {
  OFFSET("MEMBER", Member, turn);
  OFFSET("MEMBER", Member, pid);
  constant("MEMBER_BYTES", sizeof(Member));
  constant("TURN_WAIT", turn_wait);
  constant("TURN_RUN", turn_run);
  constant("TURN_RESCUE", turn_rescue);
  constant("TURN_AT_WORK", turn_at_work);
}

/// The host's, whose headers do not assemble.
void host() {
  constant("FUTEX_WAIT", FUTEX_WAIT);
  constant("FUTEX_WAKE", FUTEX_WAKE);
  constant("PR_SET_PDEATHSIG", PR_SET_PDEATHSIG);
  constant("SIGKILL", SIGKILL);
  constant("PROT_RWX", PROT_READ | PROT_WRITE | PROT_EXEC);
  constant("MAP_SHARED_FIXED", MAP_SHARED | MAP_FIXED);
  constant("MEMORY_FD", monitor::guest_memory_fd);
}

}  // namespace

int main() {
  gate();
  exit_block();
  direct_block();
  trap_state_of_direct_entries();
  stamps();
  members();
  host();
}
