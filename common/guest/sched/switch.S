// switch_context(std::uint64_t* save_sp, std::uint64_t load_sp): leaves one kernel stack, goes on on
// another, where an earlier switch_context left off (or Thread::create laid out a first return).
// Only what the C++ calling convention wants preserved has to be saved; user registers lie in the
// trap frames, vector registers are never touched by the kernel. Called by scheduler.cpp only.
        .text
        .globl switch_context
        .type switch_context, @function
switch_context:
        .cfi_startproc
        push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, (%rdi)
        mov     %rsi, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret
        .cfi_endproc
        .size switch_context, . - switch_context

// switch_context_apart(std::uint64_t* save_sp, const std::uint64_t* load_sp, Task* next): the same,
// but before it goes on, task_comes_back(next) is called, on a stack that is nobody's: the two may
// be tenants of one slot.
        .globl switch_context_apart
        .type switch_context_apart, @function
switch_context_apart:
        .cfi_startproc
        push    %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     %rsp, (%rdi)
        lea     nobodys_stack_top(%rip), %rsp
        mov     %rsi, %rbx
        mov     %rdx, %rdi
        call    task_comes_back
        mov     (%rbx), %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret
        .cfi_endproc
        .size switch_context_apart, . - switch_context_apart

        .bss
        .balign 16
        .skip   16384               // as large as a kernel stack: signals come here, too
nobodys_stack_top:
        .section .note.GNU-stack, "", @progbits
