// Into the kernel and out of it, on the window's side of the gate (gate.S).
//
// `in_kernel` (vmi::SharedInfo) alone decides what a signal interrupted:
//   0: guest user code, or a gate sequence on its way in or out. The event is in the first frame on
//      the signal stack, whose address never changes: the stack is armed whenever user code runs
//      (SS_AUTODISARM). If another signal came while a first one was on its way in, it lies lower on
//      that stack, and this second entry overtakes the first: rsp is then not the first frame's.
//   1: kernel mode. If a signal brought us here the signal stack is disarmed, and the frame lies on
//      the kernel's own stack; after a direct entry (direct.S) it lies on the signal stack. It can be
//      trusted, because no user code has run since.

#include <asm/unistd_64.h>

// in_kernel, pending, user_access_landing: fields of vmi::SharedInfo (resident.ld places them).

    .text

// Jumped to by the gate with the window open. Nothing is known of any register; rsp is the host's
// signal frame, unless user code jumped into the gate.
    .globl signal_entry
signal_entry:
    cmpl $0, in_kernel(%rip)
    jne nested
    movl $1, in_kernel(%rip)     // from here on, further signals are nested ones
    mov %rsp, %rdi
    lea entry_stack_top(%rip), %rsp
    pushq $2
    popfq                        // the guest's AC, DF, TF and NT end here
    xor %ebp, %ebp
    call enter_from_user         // (rsp at entry), does not return
    ud2

// Jumped to by the gate when the host has refused to close the window, which is therefore open.
    .globl not_closed
not_closed:
    movl $1, in_kernel(%rip)
    lea entry_stack_top(%rip), %rsp
    pushq $2
    popfq
    xor %ebp, %ebp
    call die_unclosed            // does not return
    ud2

nested:
    mov %rsp, %rbx
    and $-16, %rsp
    pushq $0
    pushq $2
    popfq
    add $8, %rsp
    mov %rbx, %rdi
    call nested_signal           // (the frame)
    lea 8(%rbx), %rsp            // as the handler's `ret` would leave it
// The handlers' restorer, too. The only rt_sigreturn the filter allows.
    .globl signal_return, signal_return_ip
signal_return:
    mov $__NR_rt_sigreturn, %eax
    syscall
signal_return_ip:
    ud2

// finish_leaving(frame, sequence of the gate): the last touch of the window. Registers are in the exit block, vectors are
// loaded, the signal stack is armed. From leaving_begin to leaving_end, and in the gate's exit, a
// signal finds in_kernel = 0 and the exit is simply started again.
    .globl finish_leaving, leaving_begin, leaving_end
finish_leaving:
    movl $0, in_kernel(%rip)
leaving_begin:
    cmpl $0, pending(%rip)
    jne 1f
    jmp *%rsi
1:  movl $1, in_kernel(%rip)
leaving_end:
    jmp return_to_user           // (frame), still in rdi

// load_vectors_now(xsave_area, features): XRSTOR of an area that user code may have tampered with. A
// fault makes the monitor resume at vectors_landing; returns 0 then, 1 otherwise.
    .globl load_vectors_now, vectors_fault_ip, vectors_landing
load_vectors_now:
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
vectors_fault_ip:
    xrstor64 (%rdi)
    mov $1, %eax
    ret
vectors_landing:
    xor %eax, %eax
    ret

// copy_with_landing(to, from, bytes) -> bytes left. The monitor's own copies to and from guest user
// memory, with the same rule as the guest kernel's (vmi::UserAccess).
    .globl copy_with_landing
copy_with_landing:
    mov %rdx, %rcx
    lea 1f(%rip), %rax
    mov %rax, user_access_landing(%rip)
    rep movsb
1:  movq $0, user_access_landing(%rip)
    mov %rcx, %rax
    ret

// zero_with_landing(to, bytes): the same for clearing.
    .globl zero_with_landing
zero_with_landing:
    mov %rsi, %rcx
    xor %eax, %eax
    lea 1f(%rip), %rdx
    mov %rdx, user_access_landing(%rip)
    rep stosb
1:  movq $0, user_access_landing(%rip)
    mov %rcx, %rax
    ret

// first_trap(): a host call at an address the filter does not know: SIGSYS, the first signal frame.
    .globl first_trap
first_trap:
    mov $__NR_getppid, %eax
    syscall
    ud2

// For the way in and for the start; the guest kernel has stacks of its own.
    .bss
    .balign 16
    .skip 16384
    .globl entry_stack_top
entry_stack_top:

    .section .note.GNU-stack, "", @progbits
