// The trap path, from here and back to here. A null system call (getppid) from a patched call site,
// hop by hop; each line names a file, what in it is gone through, and why it is not less:
//
//   1 extended-vmm/trap/patched_site.h        Trampoline             loads number and return address
//   2 extended-vmm/trap/gate.S                save_for_direct_entry  opens the window
//   3 extended-vmm/trap/direct.S              direct_entry           fills the trap frame, takes its stack
//   4 common/guest/trap/upcall.cpp            handle_upcall          finds the handler by the number
//   5 common/guest/syscall/identity_calls.cpp sys_getppid            serves the call
//   6 common/guest/trap/upcall.cpp            leave_kernel           interrupts, other threads, signals
//   7 extended-vmm/trap/upcall.cpp            return_to_user         fills the exit block, loads vectors
//   8 extended-vmm/trap/entry.S               finish_leaving         in_kernel = 0, a last look at pending
//   9 extended-vmm/trap/gate.S                jump_to_user           closes, loads the registers, jumps
//
// Hops 4 to 6 are the guest kernel's, the same under every monitor. Where the call traps on the host
// (trap=sigsys, and sites that are not patched), the kernel's SIGSYS comes here:
//
//   1 extended-vmm/trap/gate.S                define_gate            opens the window, on the signal stack
//   2 extended-vmm/trap/entry.S               signal_entry           in_kernel = 1, takes the entry stack
//   3 extended-vmm/trap/upcall.cpp            enter_from_user        copies the signal frame, judges it
//   4 common/guest/trap/upcall.cpp            handle_upcall          and on as above, hop by hop
//   5 common/guest/syscall/identity_calls.cpp sys_getppid
//   6 common/guest/trap/upcall.cpp            leave_kernel
//   7 extended-vmm/trap/upcall.cpp            return_to_user
//   8 extended-vmm/trap/entry.S               finish_leaving
//   9 extended-vmm/trap/gate.S                load_user_registers    closes, loads the registers, iretq
//
// A page fault, an exception and a tick come and go the same way, but for hop 5.
//
// The gate's code, once for each protection, each without and with stamps for accounts of time. The
// launcher copies one variant to VMI_GATE_BASE; user code can jump to any byte of it with any
// registers, so nothing here trusts a register and no instruction harms with the window closed.
// Layout of each variant:
//
//   +0x000  entry: where the host delivers every signal, on the alternate stack. Opens the window
//           with constant arguments and jumps to the resident part. No stack use: a signal that
//           comes in between finds the first frame intact (entry.S says how that is sorted out).
//   +0x100  exit: the resident part jumps here with in_kernel = 0 and the exit block filled.
//           Closes the window, loads the guest's registers, iretq. A signal in between is taken as
//           "still leaving": the resident part starts the exit again.
//   +0x200  direct entry: patched call sites jump here by way of their trampoline (sites.cpp), rcx the
//           address to return to, eax the number. Puts the registers that opening costs into the
//           direct block, opens, and jumps to the resident part. A signal before in_kernel is set is
//           taken as having come before the `syscall` instruction that was jumped over (upcall.cpp).
//   +0x300  direct exit: as exit, with a jump to rcx in place of iretq.
//   +0x1000 constants (struct GateConstants), on the next, read-only page.
//
// The last two are there under trap=direct only (gate_for). Which state of the processor becomes
// ours where:
//   flags (AC, DF, NT, TF)   nowhere here. With the window open, before any C++ runs, by what they
//                            really are: signal_entry and `nested` load ours (entry.S), direct_entry
//                            looks at them with pushfq on a stack inside the window, and loads ours
//                            if need be (direct.S). Until then nothing depends on them: no string
//                            instruction, no iretq, no access that is not aligned. A hand-over ends
//                            where it began, in kernel mode (handover.S).
//   stack pointer            at once, at the same places
//   segment bases            not used by code in the window; read there, and loaded on the way out
//   vectors, x87, MXCSR      likewise (-mgeneral-regs-only): vectors.cpp
//   what a register says     believed nowhere; what the direct block says are the guest's own
//                            registers, and none of them decides how the kernel runs

#include <asm/unistd_64.h>

#include "extended-vmm/constants.h"
#include "vmi/constants.h"

// Fields of struct DirectBlock (gate.h), addressed from the gate.
#define DIRECT(begin, field) begin + (DIRECT_BLOCK_BASE - VMI_GATE_BASE) + field(%rip)

// Opening changes no flag: a direct entry's are the guest's.
.macro open_mprotect begin
    mov $__NR_mprotect, %eax
    movabs $VMI_WINDOW_BASE, %rdi
    mov $VMI_WINDOW_SIZE, %esi
    mov $PROT_RWX, %edx
    syscall
.endm

.macro close_mprotect begin
    mov $__NR_mprotect, %eax
    movabs $VMI_WINDOW_BASE, %rdi
    mov $VMI_WINDOW_SIZE, %esi
    xor %edx, %edx
    syscall
.endm

// The host has always closed the window so far. If it does not, no guest code runs any more.
.macro check_closed_mprotect begin
    test %eax, %eax
    jz 1f
    jmp *\begin + GATE_not_closed(%rip)
1:
.endm

.macro open_mmap begin
    mov $__NR_mmap, %eax
    movabs $VMI_WINDOW_BASE, %rdi
    mov \begin + GATE_mapping_bytes(%rip), %rsi
    mov $PROT_RWX, %edx
    mov $MAP_SHARED_FIXED, %r10d
    mov $MEMORY_FD, %r8d
    mov $0, %r9d
    syscall
.endm

.macro close_mmap begin
    mov $__NR_munmap, %eax
    movabs $VMI_WINDOW_BASE, %rdi
    mov \begin + GATE_mapping_bytes(%rip), %rsi
    syscall
.endm

.macro check_closed_mmap begin
    check_closed_mprotect \begin
.endm

// What opening by mmap costs a direct entry beside what any opening costs.
.macro reload_mmap begin
    mov DIRECT(\begin, DIRECT_r8), %r8
    mov DIRECT(\begin, DIRECT_r9), %r9
    mov DIRECT(\begin, DIRECT_r10), %r10
.endm

.macro reload_mprotect begin
.endm
.macro open_none begin
.endm
.macro close_none begin
.endm
.macro check_closed_none begin
.endm
.macro reload_none begin
.endm

// The time into a field of struct Stamps (gate.h), where accounts are kept. Costs rax and rdx, but
// no flag, either.
.macro stamp wanted, begin, field
.if \wanted
    rdtsc
    mov %eax, \begin + (STAMPS_BASE - VMI_GATE_BASE) + \field(%rip)
    mov %edx, \begin + (STAMPS_BASE - VMI_GATE_BASE) + \field + 4(%rip)
.endif
.endm

// From struct ExitBlock, all but what iretq loads.
.macro load_registers
    movabs $EXIT_BLOCK_BASE, %rsp
    mov EXIT_r8(%rsp), %r8
    mov EXIT_r9(%rsp), %r9
    mov EXIT_r10(%rsp), %r10
    mov EXIT_r11(%rsp), %r11
    mov EXIT_r12(%rsp), %r12
    mov EXIT_r13(%rsp), %r13
    mov EXIT_r14(%rsp), %r14
    mov EXIT_r15(%rsp), %r15
    mov EXIT_rdi(%rsp), %rdi
    mov EXIT_rsi(%rsp), %rsi
    mov EXIT_rbp(%rsp), %rbp
    mov EXIT_rbx(%rsp), %rbx
    mov EXIT_rdx(%rsp), %rdx
    mov EXIT_rax(%rsp), %rax
    mov EXIT_rcx(%rsp), %rcx
.endm

.macro load_user_registers
    load_registers
    lea EXIT_rip(%rsp), %rsp
    iretq
.endm

// rcx is the guest's rip, too. Left on the exit block: the flags, and the stack pointer.
.macro jump_to_user
    load_registers
    lea EXIT_rflags(%rsp), %rsp
    popfq
    pop %rsp
    jmp *%rcx
.endm

.macro save_for_direct_entry begin
    mov %rdi, DIRECT(\begin, DIRECT_rdi)
    mov %rsi, DIRECT(\begin, DIRECT_rsi)
    mov %rdx, DIRECT(\begin, DIRECT_rdx)
    mov %rax, DIRECT(\begin, DIRECT_rax)
    mov %rcx, DIRECT(\begin, DIRECT_return_address)
    mov %r8, DIRECT(\begin, DIRECT_r8)
    mov %r9, DIRECT(\begin, DIRECT_r9)
    mov %r10, DIRECT(\begin, DIRECT_r10)
.endm

.macro begin_gate name
    .balign 64
    .globl gate_\name\()_begin, gate_\name\()_opened, gate_\name\()_closed, gate_\name\()_end
    .globl gate_\name\()_direct_saved, gate_\name\()_direct_opened, gate_\name\()_direct_closed
gate_\name\()_begin:
.endm

// Fails to assemble when the exit sequence does not fit its place.
.macro end_gate name
    .org gate_\name\()_begin + GATE_END, 0xcc
gate_\name\()_end:
.endm

.macro define_gate name, protection, stamps
begin_gate \name
    stamp \stamps, gate_\name\()_begin, STAMPS_entered
    open_\protection gate_\name\()_begin
gate_\name\()_opened:
    jmp *gate_\name\()_begin + GATE_signal_entry(%rip)
    .org gate_\name\()_begin + GATE_EXIT, 0xcc
    close_\protection gate_\name\()_begin
gate_\name\()_closed:
    check_closed_\protection gate_\name\()_begin
    stamp \stamps, gate_\name\()_begin, STAMPS_left
    load_user_registers
    .org gate_\name\()_begin + GATE_DIRECT_ENTRY, 0xcc
    save_for_direct_entry gate_\name\()_begin
gate_\name\()_direct_saved:
    stamp \stamps, gate_\name\()_begin, STAMPS_entered
    open_\protection gate_\name\()_begin
gate_\name\()_direct_opened:
    reload_\protection gate_\name\()_begin
    jmp *gate_\name\()_begin + GATE_direct_entry(%rip)
    .org gate_\name\()_begin + GATE_DIRECT_EXIT, 0xcc
    close_\protection gate_\name\()_begin
gate_\name\()_direct_closed:
    check_closed_\protection gate_\name\()_begin
    stamp \stamps, gate_\name\()_begin, STAMPS_left
    jump_to_user
end_gate \name
.endm

    .section .rodata

define_gate mprotect, mprotect, 0
define_gate mmap, mmap, 0
define_gate none, none, 0
define_gate mprotect_stamped, mprotect, 1
define_gate mmap_stamped, mmap, 1
define_gate none_stamped, none, 1

    .section .note.GNU-stack, "", @progbits
