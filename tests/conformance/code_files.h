// Files of code with one call site, and calls often enough to be worth rewriting it. Included once,
// by call_sites.cpp and moved_code.cpp.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include "call_sites.h"
#include "check.h"

constexpr int times = 300;  // often enough to be worth rewriting

static bool returns(long (*site)(), long wanted) {
  for (int i = 0; i < times; ++i) {
    if (site() != wanted) return false;
  }
  return true;
}

/// A file of code, one page: the copied site, with this number.
static int code_file(const char* path, int number) {
  char page[4096];
  memset(page, 0xcc, sizeof page);
  memcpy(page, copied_begin, copied_end - copied_begin);
  memcpy(page + (copied_number - copied_begin), &number, sizeof number);
  int fd = open(path, O_RDWR | O_CREAT, 0700);
  REQUIRE(fd >= 0 && pwrite(fd, page, sizeof page, 0) == sizeof page);
  return fd;
}
static long (*map_code(int fd, uint64_t at, int flags))() {
  void* code = mmap((void*)at, 4096, PROT_READ | PROT_EXEC, flags | (at ? MAP_FIXED : 0), fd, 0);
  REQUIRE(code != MAP_FAILED);
  return (long (*)())code;
}

static constexpr uint64_t low = 0x2000'0000, high = 0x7000'0000'0000;
