// System calls from code that is right but odd: jumped to with flags that what stands before the
// `syscall` would change, and among functions that begin with NOPs, as those do that a tool may
// write over. A monitor that rewrites such code must leave what it means as it is.
#include <fcntl.h>
#include <sys/mman.h>

#include "check.h"

extern "C" long call_with_flags(uint64_t at, uint64_t rax, uint64_t rdi, uint64_t* flags);
asm(R"(
    .text
call_with_flags:
    push %rbx
    mov %rcx, %rbx
    mov %rdi, %r9
    mov %rsi, %rax
    mov %rdx, %rdi
    push (%rbx)
    popfq
    call *%r9
    pushfq
    pop (%rbx)
    pushq $2
    popfq
    pop %rbx
    ret
)");

static constexpr uint64_t base = 0x2000'0000, usual_flags = 0x202;
static constexpr unsigned char nop = 0x90, hlt = 0xf4;
// read(rdi, …), and what returns 42.
static constexpr unsigned char read_code[] = {0x31, 0xc0, 0x0f, 0x05, 0xc3},
                               other_code[] = {0xb8, 42, 0, 0, 0, 0xc3};

/// A page of code: read_code up to `end`, NOPs up to `next`, and other_code there.
static void map_code(uint64_t end, uint64_t next) {
  static unsigned char code[4096];
  memset(code, hlt, sizeof code);
  memset(code + end - 64, nop, next - end + 64);
  memcpy(code + end - sizeof read_code, read_code, sizeof read_code);
  memcpy(code + next, other_code, sizeof other_code);
  int fd = open("/tmp/odd_sites", O_RDWR | O_CREAT | O_TRUNC, 0600);
  REQUIRE(fd >= 0 && write(fd, code, sizeof code) == sizeof code);
  REQUIRE(mmap((void*)base, sizeof code, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
          (void*)base);
  close(fd);
  unlink("/tmp/odd_sites");
}

static long call(uint64_t at) {
  uint64_t flags = usual_flags;
  return call_with_flags(at, 7, -1, &flags);
}

/// CF, ZF, AF and others, alone and together; what `xor` makes of them, among them.
TEST(a_jump_to_the_call_keeps_its_flags) {
  map_code(0x245, 0x250);
  for (int i = 0; i < 300; ++i) {
    if (i % 20 == 0) usleep(2000);
    for (uint64_t flags : {0x202, 0x203, 0x206, 0x212, 0x242, 0x246, 0x256, 0x282, 0xa02, 0xad7}) {
      uint64_t after = flags;
      REQUIRE(call_with_flags(base + 0x245 - 3, 0, -1, &after) == -EBADF);
      REQUIRE(after == flags);
    }
  }
}

/// The function behind begins right there, or where it is aligned; and has many NOPs.
TEST(functions_that_begin_with_nops) {
  for (uint64_t end : {0x240, 0x23c, 0x238, 0x243, 0x247}) {
    const uint64_t next = 0x270, aligned = (end + 15) & ~15ul;
    map_code(end, next);
    for (int i = 0; i < 200; ++i) {
      if (i % 20 == 0) usleep(2000);
      REQUIRE(call(base + end - sizeof read_code) == -EBADF);
    }
    for (uint64_t at : {aligned, aligned + 16, next}) CHECK_EQ(call(base + at), 42);
    // One that is not aligned looks like what fills up, if it has no more NOPs than that.
    CHECK_EQ(call(base + end), 42);
  }
}
