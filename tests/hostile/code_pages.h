// Pages of code of a program's choice, mapped as a library's are, and calls from there so often
// that a monitor may have rewritten them. Included once, by the hostile programs about patched
// sites.
#pragma once

#include "hostile.h"

using namespace hostile;

extern "C" {
long call_code(uint64_t at, long number, long argument);  // rax as it comes back
void step_code(uint64_t at);                              // with TF set
}
asm(R"(
    .text
call_code:
    mov %rdi, %r9
    mov %rsi, %rax
    mov %rdx, %rdi
    call *%r9
    ret
step_code:
    pushfq
    orl $0x100, (%rsp)
    popfq
    call *%rdi
    pushfq
    andl $~0x100, (%rsp)
    popfq
    ret
)");

static constexpr uint64_t base = 0x2000'0000, site_offset = 0x240, site = base + site_offset;
static constexpr unsigned char nop = 0x90, ret = 0xc3, hlt = 0xf4;
// read(rdi, …), and getpid.
static constexpr unsigned char short_code[] = {0x31, 0xc0, 0x0f, 0x05, ret};
static constexpr unsigned char long_code[] = {0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, ret};
/// Where `site` returns to, if the long one is there.
static constexpr uint64_t behind_site = site + sizeof long_code - 1;

struct Page {
  unsigned char bytes[page];
  explicit Page(unsigned char filler) { memset(bytes, filler, sizeof bytes); }
  template <size_t n>
  Page& with(uint64_t at, const unsigned char (&code)[n]) {
    memcpy(bytes + at, code, n);
    return *this;
  }
};

static void map_file(int fd, uint64_t at, uint64_t bytes, uint64_t offset) {
  void* to = (void*)at;
  REQUIRE(mmap(to, bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, (off_t)offset) == to);
}
/// As a library is mapped: privately, to be read and executed.
static void map_code(const Page& code, uint64_t at = base) {
  int fd = open("/tmp/patched_sites", O_RDWR | O_CREAT | O_TRUNC, 0600);
  REQUIRE(fd >= 0 && write(fd, code.bytes, page) == (long)page);
  map_file(fd, at, page, 0);
  close(fd);
  unlink("/tmp/patched_sites");
}

/// Calls code so often, and for so long, that a monitor has thought about it.
static void insist(uint64_t at, long wanted) {
  for (int i = 0; i < 200; ++i) {
    if (i % 20 == 0) usleep(2000);
    REQUIRE(call_code(at, 0, -1) == wanted);
  }
}
[[maybe_unused]] static int use_code(const Page& code, long wanted) {
  return check::in_child([&] {
    map_code(code);
    insist(site, wanted == 0 ? getpid() : wanted);
    return 0;
  });
}

/// The low trampoline that returns to `address`; 0: there is none, and it is well so.
[[maybe_unused]] static uint64_t find_trampoline(uint64_t address) {
  volatile uint64_t found = 0;
  attempt([&] {
    for (uint64_t at = vmi::trampolines_low; at < vmi::trampolines_low + vmi::trampolines_low_bytes;
         at += 32)
      if (memcmp((void*)(at + 7), &address, sizeof address) == 0) found = at;
  });
  return found;
}
