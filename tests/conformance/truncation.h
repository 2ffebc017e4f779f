// What the two topics about the end of a file share: files in the working directory, mappings of
// them, and accesses that may raise a signal.
#pragma once

#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>

#include "check.h"

inline constexpr size_t page = 4096;
inline sigjmp_buf landing;
inline siginfo_t landed;

/// The signal that an access of one byte raises, 0: none.
inline int signal_of(volatile char* address, bool write = false) {
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int number, siginfo_t* info, void*) {
    landed = *info;
    siglongjmp(landing, number);
  };
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
  const int number = sigsetjmp(landing, 1);
  if (number == 0) {
    const char byte = *address;
    if (write) *address = byte;
  }
  return number;
}

inline bool is_gone(char* address) {
  return signal_of(address) == SIGBUS && landed.si_code == BUS_ADRERR && landed.si_addr == address;
}

inline int make_file(size_t bytes) {
  static int count;
  char name[64];
  snprintf(name, sizeof name, "truncation-%d-%d", (int)getpid(), count++);
  int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
  REQUIRE(fd >= 0 && unlink(name) == 0);
  for (size_t at = 0; at < bytes; at += page) {
    char text[page];
    memset(text, 'a' + (int)(at / page % 26), page);
    size_t part = bytes - at < page ? bytes - at : page;
    REQUIRE(write(fd, text, part) == (ssize_t)part);
  }
  return fd;
}

inline char* map_file(int fd, size_t bytes, int protection = PROT_READ | PROT_WRITE,
                      int flags = MAP_SHARED) {
  void* p = mmap(nullptr, bytes, protection, flags, fd, 0);
  REQUIRE(p != MAP_FAILED);
  return (char*)p;
}

inline char byte_at(int fd, off_t at) {
  char byte = 1;
  return pread(fd, &byte, 1, at) == 1 ? byte : '?';
}
