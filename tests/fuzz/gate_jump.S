// How the gate fuzzer leaves for anywhere and comes back: registers of its choice, flags by popfq or
// by iretq (which also sets RF, and TF for the very first instruction there). See gate_program.cpp.

    .text
    .globl gate_mark, gate_jump, gate_landing, gate_sites, gate_sites_end

// void gate_mark(): a trap by the host's signal, never by a patched site, so that a kernel made to
// believe the frame that it leaves comes back here, where the second arrival is told from the first.
gate_mark:
    movl $0, stage(%rip)
    push $110
    pop %rax
    syscall
    incl stage(%rip)
    cmpl $1, stage(%rip)
    jne again
    ret

again:
    lea attempt_context(%rip), %rdi
    mov $257, %esi
    jmp load_context

// void gate_jump(const Registers*, uint64_t target, bool by_iretq). A tick may have come since the
// mark: believing its frame leads in a circle.
gate_jump:
    incl stage(%rip)
    cmpl $4, stage(%rip)
    ja again
    mov %rsi, way_rip(%rip)
    mov 128(%rdi), %rax
    mov %rax, way_flags(%rip)
    mov 56(%rdi), %rax
    mov %rax, way_rsp(%rip)
    mov 0(%rdi), %rax
    mov 8(%rdi), %rbx
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
    mov %edx, %ecx
    mov 24(%rdi), %rdx
    jrcxz 1f
    mov 16(%rdi), %rcx
    mov 40(%rdi), %rdi
    lea way_rip(%rip), %rsp
    iretq
1:  mov 16(%rdi), %rcx
    mov 40(%rdi), %rdi
    lea way_flags(%rip), %rsp
    popfq
    pop %rsp
    jmp *way_rip(%rip)

// What came back is kept in gate_landed (struct Registers) and gate_landed_mxcsr.
gate_landing:
    mov %rsp, gate_landed+56(%rip)
    lea landing_stack_top(%rip), %rsp
    pushfq
    mov %rax, gate_landed+0(%rip)
    mov %rbx, gate_landed+8(%rip)
    mov %rbp, gate_landed+48(%rip)
    mov %r12, gate_landed+96(%rip)
    mov %r13, gate_landed+104(%rip)
    mov %r14, gate_landed+112(%rip)
    mov %r15, gate_landed+120(%rip)
    popq gate_landed+128(%rip)
    stmxcsr gate_landed_mxcsr(%rip)
    lea attempt_context(%rip), %rdi
    mov $256, %esi
    jmp load_context

// Sites to be patched: each loads its number, calls and returns. 16 bytes each.
    .balign 16
gate_sites:
    .irp number, 110, 39, 63, 79, 4, 5, 1, 17, 19, 20, 13, 14, 228, 96, 98, 332, 318, 89, 157, 293
    .balign 16
    mov $\number, %eax
    syscall
    ret
    .endr
    .rept 4
    .balign 16
    xor %eax, %eax
    syscall
    ret
    .endr
    .balign 16
gate_sites_end:

    .bss
    .balign 16
    .globl gate_landed, gate_landed_mxcsr
gate_landed:
    .skip 136
stage:
    .skip 8
gate_landed_mxcsr:
    .skip 8
    .skip 64
landing_stack_top:

    .data
    .balign 16
way_rip:                        // what iretq takes, in order
    .quad 0
    .quad 0x33
way_flags:
    .quad 2
way_rsp:
    .quad 0
    .quad 0x2b

    .section .note.GNU-stack, "", @progbits
