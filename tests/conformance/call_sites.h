// The places that call, in assembly: what the compiler makes of a call is nothing a test can rely
// on. Included once, by call_sites.cpp.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct Calls {
  uint64_t in[16], out[16];  // rax (in: unused), rcx, rdx, rbx, rsp (-), rbp, rsi, rdi, r8 … r15
  uint64_t flags_in, flags_out;
  uint64_t vectors_in[32], vectors_out[32];  // xmm0 … xmm15
  uint64_t red_zone_out[16];
  uint64_t saved_rsp;
};

extern "C" {
Calls calls __attribute__((aligned(16)));
extern const char full_call_return[], full_read_return[], marked_number[];
extern const char bare_syscall[], bare_end[], short_syscall[], short_end[];
void full_call();              // getppid with `calls`
void full_read();              // read with `calls`
long bare_site();              // getppid
long enter_bare(long number);  // jumps to its `syscall` instruction
long stepped_bare();
long short_site(int fd, void* to, size_t bytes);  // read
long enter_short(long number);
long stepped_short(int fd, void* to, size_t bytes);
long twin_sites(int fd, void* to, size_t bytes);  // read, and read
long marked_site();                               // getppid, or what the file was changed to
extern const char copied_begin[], copied_number[], copied_end[];
}

asm(R"(
    .text
    .balign 64
    .macro full_site name, load:vararg
    .globl full_\name, full_\name\()_return
full_\name:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push calls+256(%rip)
    popfq
    mov %rsp, calls+784+128(%rip)
    .set i, 0
    .rept 16
    movq $0x5a0000+i, -128+8*i(%rsp)
    .set i, i+1
    .endr
    movaps calls+272+0(%rip), %xmm0
    movaps calls+272+16(%rip), %xmm1
    movaps calls+272+112(%rip), %xmm7
    movaps calls+272+240(%rip), %xmm15
    mov calls+8(%rip), %rcx
    mov calls+16(%rip), %rdx
    mov calls+24(%rip), %rbx
    mov calls+40(%rip), %rbp
    mov calls+48(%rip), %rsi
    mov calls+56(%rip), %rdi
    mov calls+64(%rip), %r8
    mov calls+72(%rip), %r9
    mov calls+80(%rip), %r10
    mov calls+88(%rip), %r11
    mov calls+96(%rip), %r12
    mov calls+104(%rip), %r13
    mov calls+112(%rip), %r14
    mov calls+120(%rip), %r15
    \load
    syscall
full_\name\()_return:
    mov %rax, calls+128(%rip)
    jmp 1f
    .balign 16          # room for a jump, and something else than NOPs behind it
1:
    mov %rcx, calls+128+8(%rip)
    mov %rdx, calls+128+16(%rip)
    mov %rbx, calls+128+24(%rip)
    mov %rsp, calls+128+32(%rip)
    mov %rbp, calls+128+40(%rip)
    mov %rsi, calls+128+48(%rip)
    mov %rdi, calls+128+56(%rip)
    mov %r8, calls+128+64(%rip)
    mov %r9, calls+128+72(%rip)
    mov %r10, calls+128+80(%rip)
    mov %r11, calls+128+88(%rip)
    mov %r12, calls+128+96(%rip)
    mov %r13, calls+128+104(%rip)
    mov %r14, calls+128+112(%rip)
    mov %r15, calls+128+120(%rip)
    movaps %xmm0, calls+528+0(%rip)
    movaps %xmm1, calls+528+16(%rip)
    movaps %xmm7, calls+528+112(%rip)
    movaps %xmm15, calls+528+240(%rip)
    .set i, 0
    .rept 16
    mov -128+8*i(%rsp), %rax
    mov %rax, calls+784+8*i(%rip)
    .set i, i+1
    .endr
    pushfq
    popq calls+264(%rip)
    pushq $2
    popfq
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .endm
    full_site call, mov $110, %eax
    .balign 64
    full_site read, xor %eax, %eax

    .balign 64
    .globl bare_site, bare_syscall, bare_end, enter_bare, stepped_bare
    .skip 32, 0x90
bare_site:
    mov $110, %eax
bare_syscall:
    syscall
bare_end:
    ret
    .balign 64
enter_bare:
    mov %rdi, %rax
    jmp bare_syscall
    .balign 64
stepped_bare:
    pushfq
    orl $0x100, (%rsp)
    popfq
    call bare_site
    pushfq
    andl $~0x100, (%rsp)
    popfq
    ret

    .balign 64
    .globl short_site, short_syscall, short_end, enter_short, stepped_short, twin_sites
    .skip 32, 0x90
short_site:
    xor %eax, %eax
short_syscall:
    syscall
short_end:
    ret
    .balign 16
enter_short:
    mov %rdi, %rax
    jmp short_syscall
    .balign 64
stepped_short:
    pushfq
    orl $0x100, (%rsp)
    popfq
    call short_site
    pushfq
    andl $~0x100, (%rsp)
    popfq
    ret
    .balign 64
    .skip 41, 0x90      # then the filling has room for two jumps
twin_sites:
    xor %eax, %eax
    syscall
    xor %eax, %eax
    syscall
    ret
    .balign 16
    ud2

    .balign 64
    .globl marked_site, marked_number
marked_site:
    .skip 32, 0x90
    mov $0x7e57c0de, %ecx
    mov $110, %eax
marked_number = . - 4
    syscall
    ret

    .balign 64
    .globl copied_begin, copied_number, copied_end
copied_begin:
    .skip 32, 0x90
    mov $110, %eax
copied_number = . - 4
    syscall
    ret
copied_end:
)");
static_assert(offsetof(Calls, saved_rsp) == 784 + 128);
