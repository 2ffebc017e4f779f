// Prints vmi/constants.h: the virtual machine interface, as assembly and linker scripts need it.
#include "build/constants.h"
#include "vmi/boot_info.h"
#include "vmi/hypercalls.h"
#include "vmi/shared_info.h"

namespace {

void address_map() {
  constant("VMI_PAGE_SIZE", vmi::page_size);
  constant("VMI_GATE_BASE", vmi::gate_base);
  constant("VMI_ALT_STACK_BASE", vmi::alt_stack_base);
  constant("VMI_WINDOW_BASE", vmi::window_base);
  constant("VMI_WINDOW_SIZE", vmi::window_size);
  constant("VMI_SHARED_INFO_BASE", vmi::shared_info_base);
  constant("VMI_RESIDENT_BASE", vmi::resident_base);
  constant("VMI_RESIDENT_END", vmi::resident_base + vmi::resident_bytes);
  constant("VMI_KERNEL_BASE", vmi::kernel_base);
}

void kernel_header() {
  constant("KERNEL_HEADER_MAGIC", vmi::KernelHeader::magic_value);
  constant("VMI_VERSION", vmi::vmi_version);
  OFFSET("KERNEL_HEADER", vmi::KernelHeader, version);
  OFFSET("KERNEL_HEADER", vmi::KernelHeader, boot);
  OFFSET("KERNEL_HEADER", vmi::KernelHeader, upcall);
  OFFSET("KERNEL_HEADER", vmi::KernelHeader, boot_stack_top);
  OFFSET("KERNEL_HEADER", vmi::KernelHeader, image_end);
}

void shared_info() {
  OFFSET("SHARED_INFO", vmi::SharedInfo, in_kernel);
  OFFSET("SHARED_INFO", vmi::SharedInfo, pending);
  OFFSET("SHARED_INFO", vmi::SharedInfo, current_frame);
  OFFSET("SHARED_INFO", vmi::SharedInfo, user_access);
  OFFSET("USER_ACCESS", vmi::UserAccess, landing);
}

void trap_frame() {
  OFFSET("FRAME", vmi::TrapFrame, r8);
  OFFSET("FRAME", vmi::TrapFrame, r9);
  OFFSET("FRAME", vmi::TrapFrame, r10);
  OFFSET("FRAME", vmi::TrapFrame, r11);
  OFFSET("FRAME", vmi::TrapFrame, r12);
  OFFSET("FRAME", vmi::TrapFrame, r13);
  OFFSET("FRAME", vmi::TrapFrame, r14);
  OFFSET("FRAME", vmi::TrapFrame, r15);
  OFFSET("FRAME", vmi::TrapFrame, rdi);
  OFFSET("FRAME", vmi::TrapFrame, rsi);
  OFFSET("FRAME", vmi::TrapFrame, rbp);
  OFFSET("FRAME", vmi::TrapFrame, rbx);
  OFFSET("FRAME", vmi::TrapFrame, rdx);
  OFFSET("FRAME", vmi::TrapFrame, rax);
  OFFSET("FRAME", vmi::TrapFrame, rcx);
  OFFSET("FRAME", vmi::TrapFrame, rsp);
  OFFSET("FRAME", vmi::TrapFrame, rip);
  OFFSET("FRAME", vmi::TrapFrame, rflags);
  OFFSET("FRAME", vmi::TrapFrame, cs);
  OFFSET("FRAME", vmi::TrapFrame, ss);
  OFFSET("FRAME", vmi::TrapFrame, fs_base);
  OFFSET("FRAME", vmi::TrapFrame, gs_base);
  OFFSET("FRAME", vmi::TrapFrame, kind);
  OFFSET("FRAME", vmi::TrapFrame, syscall_number);
  constant("UPCALL_SYSCALL", static_cast<std::uint64_t>(vmi::Upcall::syscall));
  constant("USER_CS", vmi::user_cs);
  constant("USER_SS", vmi::user_ss);
}

}  // namespace

int main() {
  address_map();
  kernel_header();
  shared_info();
  trap_frame();
}
