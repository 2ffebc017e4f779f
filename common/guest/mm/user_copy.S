// User copies: see user_copy.h. rcx counts the bytes left, as the landing protocol wants; a landing
// is a label reached both by falling through and by the monitor's detour after a fault. The flag DF
// is clear in kernel mode.
#include "vmi/constants.h"

  .text

  .macro arm access
  leaq 9f(%rip), %rax
  movq %rax, USER_ACCESS_landing(\access)
  .endm
  .macro land access
9:
  movq $0, USER_ACCESS_landing(\access)
  movq %rcx, %rax
  ret
  .endm

// rdi to, rsi from, rdx bytes, rcx access. In and out differ by which side may fault only.
  .globl user_copy_in, user_copy_out
  .type user_copy_in, @function
  .type user_copy_out, @function
user_copy_in:
user_copy_out:
  .cfi_startproc
  movq %rcx, %r8
  movq %rdx, %rcx
  arm %r8
  cmpq $8, %rcx  // one word: the usual result of a system call, cheaper without rep
  jne 1f
  movq (%rsi), %rdx
  movq %rdx, (%rdi)
  xorl %ecx, %ecx
  jmp 9f
1:
  rep movsb
  land %r8
  .cfi_endproc
  .size user_copy_in, . - user_copy_in
  .size user_copy_out, . - user_copy_out

// rdi to, rsi bytes, rdx access.
  .globl user_clear
  .type user_clear, @function
user_clear:
  .cfi_startproc
  movq %rsi, %rcx
  arm %rdx
  movq %rdx, %r8
  xorl %eax, %eax
  rep stosb
  land %r8
  .cfi_endproc
  .size user_clear, . - user_clear

  .section .note.GNU-stack,"",@progbits
