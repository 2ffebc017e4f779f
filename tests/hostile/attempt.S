// Getting back from anywhere: hostile programs jump away with registers that mean nothing, and come
// back through a signal handler, a return to landing_pad, or the replay of an old trap. None of
// this touches thread-local storage: fs may be spoilt, too. See hostile.h.

    .text
    .globl save_context, load_context, landing_pad, hostile_jump, hostile_call
    .globl mark_last_trap, hostile_jump_unmarked

// int save_context(Context*): 0 now, load_context's value later.
save_context:
    mov %rbx, 0(%rdi)
    mov %rbp, 8(%rdi)
    mov %r12, 16(%rdi)
    mov %r13, 24(%rdi)
    mov %r14, 32(%rdi)
    mov %r15, 40(%rdi)
    mov (%rsp), %rax
    mov %rax, 48(%rdi)
    lea 8(%rsp), %rax
    mov %rax, 56(%rdi)
    xor %eax, %eax
    ret

// void load_context(Context*, int value): also clears AC, DF, TF and NT.
load_context:
    mov 56(%rdi), %rsp
    pushq $2
    popfq
    mov 0(%rdi), %rbx
    mov 8(%rdi), %rbp
    mov 16(%rdi), %r12
    mov 24(%rdi), %r13
    mov 32(%rdi), %r14
    mov 40(%rdi), %r15
    mov %esi, %eax
    jmp *48(%rdi)

// Where forged frames and fake return addresses lead; no register is known.
landing_pad:
    lea attempt_context(%rip), %rdi
    mov $256, %esi
    jmp load_context

replayed:
    lea attempt_context(%rip), %rdi
    mov $257, %esi
    jmp load_context

// void mark_last_trap(): a getppid, so that a monitor made to believe an old frame comes back here,
// and the second arrival is told from the first.
mark_last_trap:
    movl $0, jump_stage(%rip)
    mov $110, %eax
    syscall
    incl jump_stage(%rip)
    cmpl $1, jump_stage(%rip)
    jne replayed
    ret

// void hostile_jump(const Registers*, uint64_t target): loads every register and the flags, jumps.
hostile_jump:
    mov %rsi, jump_target(%rip)
    movl $0, jump_stage(%rip)
    mov $110, %eax
    syscall
    incl jump_stage(%rip)
    cmpl $1, jump_stage(%rip)
    jne replayed
    jmp 1f

// The same, for those that have called mark_last_trap and prepared something behind it.
hostile_jump_unmarked:
    mov %rsi, jump_target(%rip)
    incl jump_stage(%rip)
    cmpl $4, jump_stage(%rip)   // a tick may have come since: its frame leads in a circle
    ja replayed
1:  pushq 128(%rdi)
    popfq
    mov 0(%rdi), %rax
    mov 8(%rdi), %rbx
    mov 16(%rdi), %rcx
    mov 24(%rdi), %rdx
    mov 32(%rdi), %rsi
    mov 48(%rdi), %rbp
    mov 64(%rdi), %r8
    mov 72(%rdi), %r9
    mov 80(%rdi), %r10
    mov 88(%rdi), %r11
    mov 96(%rdi), %r12
    mov 104(%rdi), %r13
    mov 112(%rdi), %r14
    mov 120(%rdi), %r15
    mov 56(%rdi), %rsp
    mov 40(%rdi), %rdi
    jmp *jump_target(%rip)

// The same by a call: the return address goes to the hostile stack pointer.
hostile_call:
    mov %rsi, jump_target(%rip)
    movl $0, jump_stage(%rip)
    mov $110, %eax
    syscall
    incl jump_stage(%rip)
    cmpl $1, jump_stage(%rip)
    jne replayed
    pushq 128(%rdi)
    popfq
    mov 0(%rdi), %rax
    mov 24(%rdi), %rdx
    mov 32(%rdi), %rsi
    mov 56(%rdi), %rsp
    mov 40(%rdi), %rdi
    call *jump_target(%rip)
    jmp landing_pad

    .bss
    .balign 8
jump_target:
    .skip 8
jump_stage:
    .skip 8

    .section .note.GNU-stack, "", @progbits
