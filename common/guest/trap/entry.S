// upcall_entry: where the monitor enters the guest kernel for every upcall (KernelHeader::upcall).
// rdi: the current thread's trap frame, already filled; everything below it on that stack is free.
// The way out is a hypercall, so nothing here ever returns; rbp and the undefined return address
// end a stack trace.
        .text
        .globl upcall_entry
        .type upcall_entry, @function
upcall_entry:
        .cfi_startproc
        .cfi_undefined rip
        mov     %rdi, %rsp
        xor     %ebp, %ebp
        call    handle_upcall
        ud2
        .cfi_endproc
        .size upcall_entry, . - upcall_entry
        .section .note.GNU-stack, "", @progbits
