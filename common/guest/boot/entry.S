// The image's first bytes (vmi::KernelHeader) and its first instruction. The monitor comes to
// boot_entry once, on the boot stack, in kernel mode; upcalls go to handle_upcall (trap/upcall.cpp).
#include "vmi/constants.h"

  .section .image_header, "a", @progbits
  .quad KERNEL_HEADER_MAGIC
  .org KERNEL_HEADER_version
  .long VMI_VERSION
  .org KERNEL_HEADER_boot
  .quad boot_entry
  .org KERNEL_HEADER_upcall
  .quad handle_upcall
  .org KERNEL_HEADER_boot_stack_top
  .quad boot_stack_top
  .org KERNEL_HEADER_image_end
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
  .skip 32768
boot_stack_top:

  .section .note.GNU-stack,"",@progbits
