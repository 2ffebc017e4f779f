// Direct entry, on the window's side of the gate: a patched call site jumped here, without a host
// trap. The counterpart of signal_entry (entry.S); the rest is upcall.cpp's.
//
// The signal stack stays armed and the guest's vector state stays in the registers: nothing in the
// window uses them. Until in_kernel is set a signal undoes the entry (upcall.cpp: was_entering).

#define AC_NT_DF_TF 0x44500

    .text

// Offsets are those of vmi::TrapFrame and of struct DirectBlock (gate.h).
// rcx and r11 are free; rdi, rsi, rdx, rax and rcx's old value, the return address, are in the
// direct block; rsp and the flags are still the guest's.
    .globl direct_entry, direct_entered
direct_entry:
    mov current_frame(%rip), %rcx
    mov %rsp, 120(%rcx)
    mov %rcx, %rsp               // the kernel stack begins below the trap frame
    pushfq                       // the flags that we really run under, whatever way led here; before
    movl $1, in_kernel(%rip)     // a nested signal can come, whose return would take ID from them
direct_entered:
    mov %r8, 0(%rcx)
    mov %r9, 8(%rcx)
    mov %r10, 16(%rcx)
    mov %r12, 32(%rcx)
    mov %r13, 40(%rcx)
    mov %r14, 48(%rcx)
    mov %r15, 56(%rcx)
    mov %rbp, 80(%rcx)
    mov %rbx, 88(%rcx)
    mov direct_block+0(%rip), %rax
    mov %rax, 64(%rcx)           // rdi
    mov direct_block+8(%rip), %rax
    mov %rax, 72(%rcx)           // rsi
    mov direct_block+16(%rip), %rax
    mov %rax, 96(%rcx)           // rdx
    mov direct_block+24(%rip), %eax
    mov %rax, 104(%rcx)          // rax, the number
    mov %rax, 184(%rcx)          // syscall_number
    mov direct_block+32(%rip), %rax
    mov %rax, 112(%rcx)          // rcx, likewise: the return address
    mov %rax, 128(%rcx)          // rip
    movq $0x33, 144(%rcx)        // cs
    movq $0x2b, 152(%rcx)        // ss
    movl $0, 176(%rcx)           // kind: Upcall::syscall
    pop %rax
    mov %rax, 24(%rcx)           // r11, likewise: the flags
    mov %rax, 136(%rcx)          // rflags
    test $AC_NT_DF_TF, %eax      // the guest's end here
    jnz 2f
1:  rdfsbase %rax
    mov %rax, 160(%rcx)
    rdgsbase %rax
    mov %rax, 168(%rcx)
    mov %rcx, direct_frame(%rip)
    mov %rcx, %rdi
    xor %ebp, %ebp
    push $0                      // the kernel's stack ends here, for the unwinder too
    jmp *direct_upcall(%rip)
2:  pushq $2
    popfq
    jmp 1b

// The frame that the running kernel entry came with, if it was a direct one; else 0.
    .bss
    .balign 8
    .globl direct_frame
direct_frame:
    .skip 8
// KernelHeader::upcall, or what comes before it (resident/account.cpp).
    .globl direct_upcall
direct_upcall:
    .skip 8

    .section .note.GNU-stack, "", @progbits
