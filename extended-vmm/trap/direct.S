// Direct entry, on the window's side of the gate: a patched call site jumped here, without a host
// trap. The counterpart of signal_entry (entry.S); the rest is upcall.cpp's.
//
// The signal stack stays armed and the guest's vector state stays in the registers: nothing in the
// window uses them. Until in_kernel is set a signal undoes the entry (upcall.cpp: was_entering).

#include "extended-vmm/constants.h"
#include "vmi/constants.h"

#define AC_NT_DF_TF 0x44500

    .text

// rcx and r11 are free; rdi, rsi, rdx, rax and rcx's old value, the return address, are in the
// direct block; rsp and the flags are still the guest's.
    .globl direct_entry, direct_entered
direct_entry:
    mov current_frame(%rip), %rcx
    mov %rsp, FRAME_rsp(%rcx)
    mov %rcx, %rsp               // the kernel stack begins below the trap frame
    pushfq                       // the flags that we really run under, whatever way led here; before
    movl $1, in_kernel(%rip)     // a nested signal can come, whose return would take ID from them
direct_entered:
    mov %r8, FRAME_r8(%rcx)
    mov %r9, FRAME_r9(%rcx)
    mov %r10, FRAME_r10(%rcx)
    mov %r12, FRAME_r12(%rcx)
    mov %r13, FRAME_r13(%rcx)
    mov %r14, FRAME_r14(%rcx)
    mov %r15, FRAME_r15(%rcx)
    mov %rbp, FRAME_rbp(%rcx)
    mov %rbx, FRAME_rbx(%rcx)
    mov direct_block+DIRECT_rdi(%rip), %rax
    mov %rax, FRAME_rdi(%rcx)
    mov direct_block+DIRECT_rsi(%rip), %rax
    mov %rax, FRAME_rsi(%rcx)
    mov direct_block+DIRECT_rdx(%rip), %rax
    mov %rax, FRAME_rdx(%rcx)
    mov direct_block+DIRECT_rax(%rip), %eax
    mov %rax, FRAME_rax(%rcx)           // the number
    mov %rax, FRAME_syscall_number(%rcx)
    mov direct_block+DIRECT_return_address(%rip), %rax
    mov %rax, FRAME_rcx(%rcx)           // so does the processor: the return address
    mov %rax, FRAME_rip(%rcx)
    movq $USER_CS, FRAME_cs(%rcx)
    movq $USER_SS, FRAME_ss(%rcx)
    movl $UPCALL_SYSCALL, FRAME_kind(%rcx)
    pop %rax
    mov %rax, FRAME_r11(%rcx)           // likewise: the flags
    mov %rax, FRAME_rflags(%rcx)
    test $AC_NT_DF_TF, %eax      // the guest's end here
    jnz 2f
1:  rdfsbase %rax
    mov %rax, FRAME_fs_base(%rcx)
    rdgsbase %rax
    mov %rax, FRAME_gs_base(%rcx)
    mov %rcx, trap_state+TRAP_direct_frame(%rip)
    mov %rcx, %rdi
    xor %ebp, %ebp
    push $0                      // the kernel's stack ends here, for the unwinder too
    jmp *trap_state+TRAP_direct_upcall(%rip)
2:  pushq $2
    popfq
    jmp 1b

    .section .note.GNU-stack, "", @progbits
