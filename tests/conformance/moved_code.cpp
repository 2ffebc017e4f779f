// Code that is mapped from a file, called often, and then moved, made writable, or written through
// another mapping. What a monitor has rewritten of it must not come along.
#include <sys/syscall.h>

#include "code_files.h"

using Site = long (*)();

static Site moved(Site from, uint64_t to) {
  REQUIRE(mremap((void*)from, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to) == (void*)to);
  return (Site)to;
}

/// Often where it lies, and then from place to place; in a child, too, which moves its own.
TEST(a_page_of_code_is_moved) {
  int fd = code_file("/tmp/call_sites_7", SYS_getppid);
  Site site = map_code(fd, low, MAP_PRIVATE);
  REQUIRE(returns(site, getppid()));
  for (uint64_t i = 1; i < 5; ++i) {
    site = moved(site, i % 2 ? high + i * 8192 : low + i * 8192);
    REQUIRE(returns(site, getppid()));
    const long self = getpid();
    CHECK_EXITED(check::in_child([&] {
                   if (!returns(site, self)) return 1;
                   return returns(moved(site, low + 0x100000), self) ? 0 : 2;
                 }),
                 0);
  }
  close(code_file("/tmp/call_sites_7", SYS_getpid));
  REQUIRE(returns(moved(site, low + 0x200000), getpid()));
  unlink("/tmp/call_sites_7");
}

/// Called, made writable, written to in another place, and moved: a page of the program's own.
TEST(a_page_of_code_is_written_and_moved) {
  int fd = code_file("/tmp/call_sites_8", SYS_getppid);
  Site site = map_code(fd, low, MAP_PRIVATE);
  REQUIRE(returns(site, getppid()));
  for (int protection : {PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE | PROT_EXEC}) {
    REQUIRE(mprotect((void*)site, 4096, protection) == 0);
    // Code that can be written is what was written.
    if (protection & PROT_WRITE) {
      REQUIRE(memcmp((void*)site, copied_begin, copied_end - copied_begin) == 0);
      ((char*)site)[4000] = 1;
    }
    REQUIRE(mprotect((void*)site, 4096, PROT_READ | PROT_EXEC) == 0);
    REQUIRE(returns(site, getppid()));
    site = moved(site, (uint64_t)site + 0x10000);
    REQUIRE(returns(site, getppid()));
  }
  unlink("/tmp/call_sites_8");
}

/// What a program maps privately and has not written is the file's, here and in other processes.
TEST(a_file_of_code_is_written_while_it_is_called) {
  int fd = code_file("/tmp/call_sites_10", SYS_getppid);
  Site site = map_code(fd, low, MAP_PRIVATE);
  int called[2], wake[2];
  REQUIRE(pipe(called) == 0 && pipe(wake) == 0 && returns(site, getppid()));
  const pid_t child = check::start_child([&] {
    char byte;
    if (!returns(site, getppid()) || write(called[1], "", 1) != 1) return 1;
    if (read(wake[0], &byte, 1) != 1) return 3;
    return returns(site, getpid()) ? 0 : 2;
  });
  close(called[1]);
  char byte;
  REQUIRE(read(called[0], &byte, 1) == 1);
  for (int number : {SYS_getpid, SYS_getppid, SYS_getpid}) {
    close(code_file("/tmp/call_sites_10", number));
    REQUIRE(returns(site, number == SYS_getpid ? getpid() : getppid()));
  }
  REQUIRE(write(wake[1], "", 1) == 1);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  // By way of a shared mapping that comes only now.
  auto* shared = (char*)mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  REQUIRE(shared != MAP_FAILED);
  for (int number : {SYS_getppid, SYS_getpid}) {
    memcpy(shared + (copied_number - copied_begin), &number, sizeof number);
    REQUIRE(returns(site, number == SYS_getpid ? getpid() : getppid()));
  }
  unlink("/tmp/call_sites_10");
}

/// As a compiler that writes code in one place and runs it in another: the file's pages are shared.
TEST(code_that_is_written_through_another_mapping) {
  int fd = code_file("/tmp/call_sites_9", SYS_getppid);
  void* shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  REQUIRE(shared != MAP_FAILED);
  for (int number : {SYS_getppid, SYS_getpid, SYS_getppid}) {
    memcpy((char*)shared + (copied_number - copied_begin), &number, sizeof number);
    Site site = map_code(fd, low, MAP_PRIVATE);
    REQUIRE(returns(site, number == SYS_getpid ? getpid() : getppid()));
    munmap((void*)low, 4096);
  }
  unlink("/tmp/call_sites_9");
}
