// A file of code with thousands of call sites, and calls of each, at a pace at which a monitor can
// patch them. Included once, by many_sites.cpp, integration/crowded_sites.cpp
// and hostile/restored_sites.cpp.
#pragma once

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

class SiteFarm {
 public:
  /// Maps a new file as a library's text is mapped; `at`: 0 is anywhere.
  SiteFarm(const char* path, uint64_t at, int count) : count_(count) {
    static unsigned char page[4096];
    const int pages = (count + on_page - 1) / on_page;
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0700);
    REQUIRE(fd >= 0);
    for (int p = 0; p < pages; ++p) {
      memset(page, 0x90, sizeof page);
      for (int i = 0; i < on_page; ++i) {
        const unsigned char code[] = {0xb8, number(p * on_page + i), 0, 0, 0, 0x0f, 0x05, 0xc3};
        memcpy(page + lead + i * site_bytes, code, sizeof code);
      }
      REQUIRE(write(fd, page, sizeof page) == (long)sizeof page);
    }
    base_ = (char*)mmap((void*)at, (size_t)pages * sizeof page, PROT_READ | PROT_EXEC,
                        MAP_PRIVATE | (at ? MAP_FIXED : 0), fd, 0);
    REQUIRE(base_ != MAP_FAILED);
    fd_ = fd;
    unlink(path);
  }

  [[nodiscard]] bool call(int i) const {
    const long result = ((long (*)())site(i))();
    return result == (number(i) == SYS_getpid ? getpid() : getppid());
  }
  /// Each three times. Between them there is what time a monitor needs to think about a few of
  /// them, as long as it patches them at all: who reads the code may see that.
  [[nodiscard]] bool call_all() const {
    bool right = true, patches = true;
    for (int first = 0; first < count_; first += batch) {
      const int end = first + batch < count_ ? first + batch : count_;
      auto call_each = [&] {
        for (int i = first; i < end; ++i) right = call(i) && right;
      };
      call_each();
      for (int round = 0; patches && patched(first, end) < end - first; ++round) {
        patches = round < patience;
        usleep(1000);
        call_each();
      }
      if (patched(first, end) == 0) patches = false;
      call_each();
      call_each();
    }
    return right;
  }
  /// Calls sites for which there is no room, which there must be, until there is. False: a call was
  /// wrong, or nobody makes room. (What is patched soon had just not been patched yet.)
  [[nodiscard]] bool begin_anew() const {
    bool right = true;
    for (int i = count_ - 1; i >= 0; --i) {
      int calls = 0;
      while (calls++ < 300'000 && patched(i, i + 1) == 0) right = call(i) && right;
      if (calls > 20'000) return right && patched(i, i + 1) == 1;
    }
    return false;
  }
  /// The file, with what it holds: it has changed all the same.
  void write_again() const {
    char byte;
    REQUIRE(pread(fd_, &byte, 1, 0) == 1 && pwrite(fd_, &byte, 1, 0) == 1);
  }
  void unmap() const { REQUIRE(munmap(base_, bytes()) == 0); }
  void map_again() const {
    REQUIRE(mmap(base_, bytes(), PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd_, 0) == base_);
  }
  [[nodiscard]] int patched(int first, int end) const {
    int patched = 0;
    for (int i = first; i < end; ++i) patched += *(volatile unsigned char*)site(i) != 0xb8;
    return patched;
  }

 private:
  [[nodiscard]] char* site(int i) const {
    return base_ + i / on_page * 4096l + lead + i % on_page * site_bytes;
  }
  static constexpr int batch = 30, patience = 100, lead = 64, site_bytes = 16,
                       on_page = (4096 - lead) / site_bytes;
  static unsigned char number(int i) { return i % 3 == 0 ? SYS_getppid : SYS_getpid; }
  [[nodiscard]] size_t bytes() const { return (size_t)(count_ + on_page - 1) / on_page * 4096; }
  char* base_;
  int count_, fd_;
};
