// Prints baseline-vmm/constants.h, for the resident part's assembly: see common/build/constants.h.
#include <sys/mman.h>

#include "baseline-vmm/resident_header.h"
#include "build/constants.h"
#include "monitor/guest/process_fd.h"

int main() {
  constexpr std::uint64_t constants = baseline::gate_constants_base - vmi::gate_base;
  constant("GATE_guest_bytes", constants + offsetof(baseline::GateConstants, guest_bytes));
  constant("GATE_upcall", constants + offsetof(baseline::GateConstants, upcall));
  constant("VMM_CALL_NUMBER", baseline::vmm_call_number);
  constant("MEMORY_FD", monitor::guest_memory_fd);
  constant("PROT_RWX", PROT_READ | PROT_WRITE | PROT_EXEC);
  constant("MAP_SHARED_FIXED", MAP_SHARED | MAP_FIXED);
}
