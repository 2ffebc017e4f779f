// The gate: the only code of the monitor that guest user code can reach. It lies outside the
// window, so that it can open and close it; the VMM process puts a copy at vmi::gate_base and
// knows the addresses of its three host calls from the labels here. What user code gains by
// jumping in: nothing. Whether a host call is the monitor's or the guest's is the VMM process's
// knowledge of the mode, not a matter of the address it comes from.
#include "baseline-vmm/resident_header.h"
#include "vmi/address_map.h"

#define PROT_READ_WRITE_EXEC 7
#define MAP_SHARED_FIXED 0x11
#define MEMORY_FD 3
#define HOST_MMAP 9
#define HOST_MUNMAP 11
#define HOST_RT_SIGRETURN 15

  .section .rodata
  .balign 16
  .globl baseline_gate_begin, baseline_gate_end, baseline_gate_leave
  .globl baseline_gate_opened, baseline_gate_closed, baseline_gate_returned

// Handler of all signals. On the alternate stack, asynchronous signals blocked, window closed.
// rdx: the ucontext, the third argument. The guest user's AC and NT are still set, if they were:
// entry.S.
baseline_gate_begin:
  movq %rdx, %rbx
  movl $HOST_MMAP, %eax
  movabsq $VMI_WINDOW_BASE, %rdi
  movq baseline_gate_begin + BASELINE_GATE_CONSTANTS(%rip), %rsi
  movl $PROT_READ_WRITE_EXEC, %edx
  movl $MAP_SHARED_FIXED, %r10d
  movl $MEMORY_FD, %r8d
  xorl %r9d, %r9d
  syscall
baseline_gate_opened:
  movq %rbx, %rdi
  jmpq *(baseline_gate_begin + BASELINE_GATE_CONSTANTS + 8)(%rip)

// Way out, jumped to from the window. rsp: the ucontext, where rt_sigreturn wants it.
baseline_gate_leave:
  movl $HOST_MUNMAP, %eax
  movabsq $VMI_WINDOW_BASE, %rdi
  movq baseline_gate_begin + BASELINE_GATE_CONSTANTS(%rip), %rsi
  syscall
baseline_gate_closed:
  testl %eax, %eax                            // not closed: nothing of the guest runs any more
  jnz baseline_gate_returned
  movl $HOST_RT_SIGRETURN, %eax
  syscall
baseline_gate_returned:
  ud2
baseline_gate_end:

  .section .note.GNU-stack,"",@progbits
