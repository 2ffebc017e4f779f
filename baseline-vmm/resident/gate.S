// The trap path, from here and back to here. A null system call (getppid), hop by hop; each line
// names a file, what in it is gone through, and why it is not less:
//
//   1 baseline-vmm/resident/gate.S            baseline_gate_begin  opens the window, on the signal stack
//   2 baseline-vmm/resident/entry.S           upcall_entry         takes the thread's kernel stack
//   3 baseline-vmm/resident/upcall.cpp        take_upcall          adopts the signal frame, reads the mail
//   4 common/guest/trap/upcall.cpp            handle_upcall        finds the handler by the number
//   5 common/guest/syscall/identity_calls.cpp sys_getppid          serves the call
//   6 common/guest/trap/upcall.cpp            leave_kernel         interrupts, other threads, signals
//   7 baseline-vmm/resident/upcall.cpp        return_to_user       gives the signal frame back
//   8 baseline-vmm/resident/entry.S           leave_by             the flag that sigreturn leaves alone
//   9 baseline-vmm/resident/gate.S            baseline_gate_leave  closes; sigreturn loads the registers
//
// Beside it the VMM process is told nine times what happens (baseline-vmm/stops.h, stop by stop):
// twice of the guest's call, once of the signal that brings it to hop 1, and at entry and exit of
// each of the three host calls of hops 1 and 9.
//
// The gate: the only code of the monitor that guest user code can reach. It lies outside the
// window, so that it can open and close it; the VMM process puts a copy at vmi::gate_base and
// knows the addresses of its three host calls from the labels here. What user code gains by
// jumping in: nothing. Whether a host call is the monitor's or the guest's is the VMM process's
// knowledge of the mode, not a matter of the address it comes from.
#include <asm/unistd_64.h>

#include "baseline-vmm/constants.h"
#include "vmi/constants.h"

  .section .rodata
  .balign 16
  .globl baseline_gate_begin, baseline_gate_end, baseline_gate_leave
  .globl baseline_gate_opened, baseline_gate_closed, baseline_gate_returned

// Handler of all signals. On the alternate stack, asynchronous signals blocked, window closed.
// rdx: the ucontext, the third argument. The guest user's AC and NT are still set, if they were:
// entry.S.
baseline_gate_begin:
  movq %rdx, %rbx
  movl $__NR_mmap, %eax
  movabsq $VMI_WINDOW_BASE, %rdi
  movq baseline_gate_begin + GATE_guest_bytes(%rip), %rsi
  movl $PROT_RWX, %edx
  movl $MAP_SHARED_FIXED, %r10d
  movl $MEMORY_FD, %r8d
  xorl %r9d, %r9d
  syscall
baseline_gate_opened:
  movq %rbx, %rdi
  jmpq *(baseline_gate_begin + GATE_upcall)(%rip)

// Way out, jumped to from the window. rsp: the ucontext, where rt_sigreturn wants it.
baseline_gate_leave:
  movl $__NR_munmap, %eax
  movabsq $VMI_WINDOW_BASE, %rdi
  movq baseline_gate_begin + GATE_guest_bytes(%rip), %rsi
  syscall
baseline_gate_closed:
  testl %eax, %eax                            // not closed: nothing of the guest runs any more
  jnz baseline_gate_returned
  movl $__NR_rt_sigreturn, %eax
  syscall
baseline_gate_returned:
  ud2
baseline_gate_end:

  .section .note.GNU-stack,"",@progbits
