// The gate's code, once for each protection. The launcher copies one variant to VMI_GATE_BASE; user
// code can jump to any byte of it with any registers, so nothing here trusts a register and no
// instruction harms with the window closed. Layout of each variant:
//
//   +0x000  entry: where the host delivers every signal, on the alternate stack. Opens the window
//           with constant arguments and jumps to the resident part. No stack use: a signal that
//           comes in between finds the first frame intact (entry.S says how that is sorted out).
//   +0x100  exit: the resident part jumps here with in_kernel = 0 and the exit block filled.
//           Closes the window, loads the guest's registers, iretq. A signal in between is taken as
//           "still leaving": the resident part starts the exit again.
//   +0x1000 constants (struct GateConstants), on the next, read-only page.

#include <asm/unistd_64.h>

#include "vmi/address_map.h"

#define EXIT_BLOCK (VMI_ALT_STACK_BASE + 0x800)
#define PROT_RWX 7
#define MAP_SHARED_FIXED 0x11
#define MEMORY_FD 3

.macro open_mprotect
    mov $__NR_mprotect, %eax
    movabs $VMI_WINDOW_BASE, %rdi
    mov $VMI_WINDOW_SIZE, %esi
    mov $PROT_RWX, %edx
    syscall
.endm

.macro close_mprotect
    mov $__NR_mprotect, %eax
    movabs $VMI_WINDOW_BASE, %rdi
    mov $VMI_WINDOW_SIZE, %esi
    xor %edx, %edx
    syscall
.endm

.macro open_mmap begin
    mov $__NR_mmap, %eax
    movabs $VMI_WINDOW_BASE, %rdi
    mov \begin + 0x1008(%rip), %rsi
    mov $PROT_RWX, %edx
    mov $MAP_SHARED_FIXED, %r10d
    mov $MEMORY_FD, %r8d
    xor %r9d, %r9d
    syscall
.endm

.macro close_mmap begin
    mov $__NR_munmap, %eax
    movabs $VMI_WINDOW_BASE, %rdi
    mov \begin + 0x1008(%rip), %rsi
    syscall
.endm

// The stack pointer walks up the exit block: struct ExitBlock, in order.
.macro load_user_registers
    movabs $EXIT_BLOCK, %rsp
    pop %r8
    pop %r9
    pop %r10
    pop %r11
    pop %r12
    pop %r13
    pop %r14
    pop %r15
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rax
    pop %rcx
    iretq
.endm

.macro begin_gate name
    .balign 64
    .globl gate_\name\()_begin, gate_\name\()_opened, gate_\name\()_closed, gate_\name\()_end
gate_\name\()_begin:
.endm

// Fails to assemble when the exit sequence does not fit its place.
.macro end_gate name
    .org gate_\name\()_begin + 0x200, 0xcc
gate_\name\()_end:
.endm

    .section .rodata

begin_gate mprotect
    open_mprotect
gate_mprotect_opened:
    jmp *gate_mprotect_begin + 0x1000(%rip)
    .org gate_mprotect_begin + 0x100, 0xcc
    close_mprotect
gate_mprotect_closed:
    load_user_registers
end_gate mprotect

begin_gate mmap
    open_mmap gate_mmap_begin
gate_mmap_opened:
    jmp *gate_mmap_begin + 0x1000(%rip)
    .org gate_mmap_begin + 0x100, 0xcc
    close_mmap gate_mmap_begin
gate_mmap_closed:
    load_user_registers
end_gate mmap

begin_gate none
gate_none_opened:
    jmp *gate_none_begin + 0x1000(%rip)
    .org gate_none_begin + 0x100, 0xcc
gate_none_closed:
    load_user_registers
end_gate none

    .section .note.GNU-stack, "", @progbits
