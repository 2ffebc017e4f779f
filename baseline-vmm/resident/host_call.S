// The two host calls that the window's code makes, each from one `syscall` instruction: the VMM
// process tells them apart by the address behind it.
#include "baseline-vmm/constants.h"

  .text
// std::int64_t host_call(number, a0, a1, a2, a3, a4, a5): changes to user memory.
  .globl host_call, host_call_ip
  .type host_call, @function
host_call:
  .cfi_startproc
  movq %rdi, %rax
  movq %rsi, %rdi
  movq %rdx, %rsi
  movq %rcx, %rdx
  movq %r8, %r10
  movq %r9, %r8
  movq 8(%rsp), %r9
  syscall
host_call_ip:
  ret
  .cfi_endproc

// void vmm_call(VmmCall, a0, a1): the answer is in the mailbox.
  .globl vmm_call, vmm_call_ip
  .type vmm_call, @function
vmm_call:
  .cfi_startproc
  movl $VMM_CALL_NUMBER, %eax
  syscall
vmm_call_ip:
  ret
  .cfi_endproc

  .section .note.GNU-stack,"",@progbits
