// How a member of the pool gives its turn to another, and how a new one comes to be: see pool.cpp.
// The host calls are made on the member's own parking stack: from the moment the successor is
// awake, the guest kernel's stack is the successor's.

#include <asm/errno.h>
#include <asm/unistd_64.h>

#include "extended-vmm/constants.h"

    .text

// hand_over(from, to)
    .globl hand_over
hand_over:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, kernel_stack(%rip)
    mov %rdi, %rbx
    lea MEMBER_BYTES-16(%rbx), %rsp
    movl $TURN_WAIT, MEMBER_turn(%rbx)
    movl $TURN_RUN, MEMBER_turn(%rsi)   // the last touch of guest state
    mov $__NR_futex, %edi
    lea MEMBER_turn(%rsi), %rsi
    mov $FUTEX_WAKE, %edx
    mov $1, %ecx
    call host_call
    test %rax, %rax
    js futex_fails

// Parked, in rbx. A wake-up may come before the wait: the turn is looked at by the host, too.
park:
    mov $__NR_futex, %edi
    lea MEMBER_turn(%rbx), %rsi
    mov $FUTEX_WAIT, %edx
    xor %ecx, %ecx
    xor %r8d, %r8d
    call host_call
    test %rax, %rax
    jns 2f
    cmp $-EAGAIN, %rax
    je 2f
    cmp $-EINTR, %rax
    jne futex_fails
2:  mov MEMBER_turn(%rbx), %eax
    test %eax, %eax
    jz park
    cmp $TURN_RUN, %eax
    je 1f
    cmp $TURN_RESCUE, %eax
    jne member_ends
// The one whose turn it was has died. No other stack has room, and nobody is on that one.
    lea entry_stack_top(%rip), %rsp
    mov %rbx, %rdi
    call take_dead_ones_place    // returns if that one had not begun: the member that it is now
    mov %rax, %rbx
1:  movl $TURN_AT_WORK, MEMBER_turn(%rbx)
    mov kernel_stack(%rip), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

member_ends:
    mov $__NR_exit_group, %edi
    xor %esi, %esi
    call host_call
    ud2

// clone_member(member, flags): the host writes the new pid into the member before anybody can see
// the process, so that the launcher always knows all of them.
    .globl clone_member
clone_member:
    push %rbx
    mov %rdi, %rbx
    lea MEMBER_BYTES-16(%rbx), %rdx
    lea member_begins(%rip), %rax
    mov %rax, (%rdx)             // where the new process's host_call returns to
    lea MEMBER_pid(%rbx), %rcx
    mov $__NR_clone, %edi
    xor %r8d, %r8d
    xor %r9d, %r9d
    sub $8, %rsp
    push $0
    call host_call               // (clone, flags, stack, parent_tid, 0, 0)
    add $16, %rsp
    pop %rbx
    ret

// The new process: dies with the launcher like the first (a host clears that wish at each clone).
member_begins:
    lea MEMBER_BYTES-16(%rbx), %rsp
    mov $__NR_prctl, %edi
    mov $PR_SET_PDEATHSIG, %esi
    mov $SIGKILL, %edx
    call host_call
    lea prctl_name(%rip), %rdi
    test %rax, %rax
    jnz call_fails
    mov $__NR_getppid, %edi
    call host_call
    cmp launcher_pid(%rip), %eax
    je park
    jmp member_ends

// rax: the result; rdi: the call's name.
futex_fails:
    lea futex_name(%rip), %rdi
call_fails:
    mov %rax, %rsi
    lea dying_stack_top(%rip), %rsp  // the parking stack has no room for that
    call die_of_host_call

    .section .rodata
futex_name: .asciz "futex"
prctl_name: .asciz "prctl"

    .bss
    .balign 16
    .skip 4096
dying_stack_top:
kernel_stack:                    // of whoever gave its turn away last
    .skip 8
    .globl launcher_pid
launcher_pid:
    .skip 4

    .section .note.GNU-stack, "", @progbits
