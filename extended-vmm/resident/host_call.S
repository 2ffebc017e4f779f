// The resident part's one door to the host. The filter allows a list of calls at exactly this
// address, which lies in the window: user code cannot reach it while the window is closed.
// In: the C calling convention, (number, a0, a1, a2, a3, a4, a5).
    .text
    .globl host_call, host_call_ip
    .type host_call, @function
host_call:
    .cfi_startproc
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
host_call_ip:
    ret
    .cfi_endproc
    .size host_call, . - host_call

    .section .note.GNU-stack, "", @progbits
