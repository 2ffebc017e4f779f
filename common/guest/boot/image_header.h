// The numbers of vmi::KernelHeader that assembly needs; boot.cpp holds them equal to the interface.
#pragma once

#define GUEST_HEADER_MAGIC 0x7479706574776f6b
#define GUEST_HEADER_VERSION 1
#define GUEST_BOOT_STACK_BYTES 32768
