// The image's first bytes (vmi::KernelHeader) and its first instruction. The monitor comes to
// boot_entry once, on the boot stack, in kernel mode; upcalls go to upcall_entry (trap/entry.S).
#include "guest/boot/image_header.h"

  .section .image_header, "a", @progbits
  .quad GUEST_HEADER_MAGIC
  .long GUEST_HEADER_VERSION
  .long 0
  .quad boot_entry
  .quad upcall_entry
  .quad boot_stack_top
  .quad image_end

  .text
  .globl boot_entry
  .type boot_entry, @function
boot_entry:
  .cfi_startproc
  .cfi_undefined rip  // the outermost frame of a stack trace
  xorl %ebp, %ebp
  call boot_kernel
  ud2
  .cfi_endproc
  .size boot_entry, . - boot_entry

  .bss
  .balign 4096
  .skip GUEST_BOOT_STACK_BYTES
boot_stack_top:

  .section .note.GNU-stack,"",@progbits
