// Ways in and out of the resident part's C++, and its stacks. The window is open in all of it.
#include "vmi/constants.h"

#define USER_ACCESS_LANDING (VMI_SHARED_INFO_BASE + SHARED_INFO_user_access + USER_ACCESS_landing)
#define FLAG_ID 0x200000
#define FLAG_FIXED 2

  .text
// Jumped to by the gate, on the alternate stack, which is the guest user's to write and therefore
// left at once. rdi: ucontext. upcall_stack is the trap frame of the running thread: the stack
// below it is free. AC, DF, NT and TF become ours here, whatever they are: nothing before depends
// on them, and nothing behind runs under the guest's.
  .globl upcall_entry
  .type upcall_entry, @function
upcall_entry:
  .cfi_startproc
  .cfi_undefined rip
  movq upcall_stack(%rip), %rsp
  pushq $2
  popfq
  xorl %ebp, %ebp
  call take_upcall
  ud2
  .cfi_endproc

// leave_by(ucontext, gate_leave, flags): out of the window. rt_sigreturn restores all of the user's
// flags but ID, which it leaves as it is: so it goes into these.
  .globl leave_by
leave_by:
  andl $FLAG_ID, %edx
  orl $FLAG_FIXED, %edx
  pushq %rdx
  popfq
  movq %rdi, %rsp
  jmpq *%rsi

// First instruction of the guest-machine process, on start_stack.
  .globl start_entry
  .type start_entry, @function
start_entry:
  .cfi_startproc
  .cfi_undefined rip
  xorl %ebp, %ebp
  call start
  ud2
  .cfi_endproc

// std::uint64_t guarded_copy(to, from, bytes): copies to or from user memory and returns the bytes
// left undone. The guest kernel may be inside a guarded access of its own, so its landing is kept.
  .globl guarded_copy
  .type guarded_copy, @function
guarded_copy:
  .cfi_startproc
  movabsq $USER_ACCESS_LANDING, %r9
  movq (%r9), %r8
  leaq 1f(%rip), %rax
  movq %rax, (%r9)
  movq %rdx, %rcx
  rep movsb
1:movq %r8, (%r9)
  movq %rcx, %rax
  ret
  .cfi_endproc

  .bss
  .balign 16
  .globl start_stack
  .skip 8192
start_stack:

  .section .note.GNU-stack,"",@progbits
