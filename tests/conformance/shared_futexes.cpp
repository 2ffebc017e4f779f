// Conformance, futexes between processes: a futex is known by what is mapped, not by where.
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

constexpr size_t page = 4096;

long futex(unsigned* word, int operation, unsigned value, unsigned bits = 0) {
  return syscall(SYS_futex, word, operation, value, nullptr, nullptr, bits);
}

/// A file of two pages, without a name.
int make_file() {
  char name[] = "/tmp/shared_futexes-XXXXXX";
  int file = mkstemp(name);
  REQUIRE(file >= 0);
  unlink(name);
  REQUIRE(ftruncate(file, 2 * page) == 0);
  return file;
}

unsigned* map(int file, size_t offset, size_t bytes, int flags = MAP_SHARED) {
  if (file < 0) flags |= MAP_ANONYMOUS;
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, file, (off_t)offset);
  REQUIRE(at != MAP_FAILED);
  return static_cast<unsigned*>(at);
}

/// A child waits at `theirs`, this process wakes at `ours`, which is the same word.
void meet(unsigned* theirs, unsigned* ours) {
  pid_t child = check::start_child([&] { return futex(theirs, FUTEX_WAIT, 0) == 0 ? 0 : 1; });
  while (futex(ours, FUTEX_WAKE, 1) == 0) sched_yield();
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 0);
}

/// Nobody is woken at `ours` by the time that a child which waits at `theirs` is.
void do_not_meet(unsigned* theirs, unsigned* ours, int their_flag = 0) {
  pid_t child = check::start_child(
      [&] { return futex(theirs, FUTEX_WAIT | their_flag, 0) == -1 && errno == EINTR ? 0 : 1; });
  for (int i = 0; i < 200; ++i) {
    CHECK_EQ(futex(ours, FUTEX_WAKE, 1), 0);
    sched_yield();
  }
  kill(child, SIGKILL);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_KILLED(status, SIGKILL);
}

}  // namespace

TEST(memory_shared_by_fork) {
  unsigned* word = map(-1, 0, page);
  meet(word, word);
  meet(word + 7, word + 7);
}

TEST(a_file_mapped_at_two_addresses) {
  int file = make_file();
  unsigned* one = map(file, 0, 2 * page);
  unsigned* other = map(file, 0, 2 * page);
  CHECK(one != other);
  meet(one + 3, other + 3);
}

TEST(a_file_mapped_in_part) {
  int file = make_file();
  unsigned* whole = map(file, 0, 2 * page);
  unsigned* part = map(file, page, page);
  meet(whole + page / sizeof *whole + 1, part + 1);
  meet(part, whole + page / sizeof *whole);
}

TEST(another_word_is_another_futex) {
  int file = make_file();
  unsigned* word = map(file, 0, 2 * page);
  do_not_meet(word, word + 1);
  do_not_meet(word, word + page / sizeof *word);
}

TEST(another_file_is_another_futex) {
  do_not_meet(map(make_file(), 0, page), map(make_file(), 0, page));
}

TEST(private_memory_is_not_shared_by_fork) {
  unsigned* word = map(-1, 0, page, MAP_PRIVATE);
  *word = 0;
  do_not_meet(word, word);
}

TEST(a_private_wait_is_within_one_space) {
  unsigned* word = map(-1, 0, page);
  do_not_meet(word, word, FUTEX_PRIVATE_FLAG);
}

TEST(as_many_are_woken_as_are_asked_for) {
  unsigned* word = map(-1, 0, page);
  unsigned* woken = word + 1;
  pid_t children[4];
  for (pid_t& child : children)
    child = check::start_child([&] {
      while (futex(word, FUTEX_WAIT, 0) != 0) {
      }
      __atomic_fetch_add(woken, 1, __ATOMIC_SEQ_CST);
      return 0;
    });
  long sum = 0;
  while (sum < 4) {
    long now = futex(word, FUTEX_WAKE, 1);
    CHECK(now == 0 || now == 1);
    sum += now;
    sched_yield();
  }
  for (pid_t child : children) CHECK_EQ(waitpid(child, nullptr, 0), child);
  CHECK_EQ(*woken, 4);
}

TEST(the_kernel_clears_and_wakes_for_a_joiner) {
  unsigned* word = map(-1, 0, page);
  *word = 1;
  alignas(16) static char stack[4096];
  int child = clone([](void*) { return (int)syscall(SYS_exit, 5); }, stack + sizeof stack,
                    CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, nullptr, nullptr, nullptr, word);
  REQUIRE(child > 0);
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != 0) futex(word, FUTEX_WAIT, 1);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 5);
}

TEST(errors) {
  unsigned* word = map(-1, 0, page);
  CHECK_ERRNO(futex(word, FUTEX_WAIT, 1), EAGAIN);
  CHECK_ERRNO(futex((unsigned*)((char*)word + 2), FUTEX_WAKE, 1), EINVAL);
  CHECK_ERRNO(futex(word, FUTEX_WAKE_BITSET, 1, 0), EINVAL);
  munmap(word, page);
  CHECK_ERRNO(futex(word, FUTEX_WAKE, 1), EFAULT);
  CHECK_ERRNO(futex(word, FUTEX_WAIT, 0), EFAULT);
  CHECK_EQ(futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), 0);
}

TEST(named_semaphores_and_shared_memory) {
  char name[40];
  snprintf(name, sizeof name, "/conformance-%d", getpid());
  sem_t* turn = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
  REQUIRE(turn != SEM_FAILED);
  int file = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
  REQUIRE(file >= 0 && ftruncate(file, page) == 0);
  volatile unsigned* word = map(file, 0, page);
  CHECK_EXITED(check::in_child([&] {
                 sem_t* theirs = sem_open(name, 0);
                 int other = shm_open(name, O_RDWR, 0);
                 if (theirs == SEM_FAILED || other < 0) return 1;
                 *map(other, 0, page) = 77;
                 return sem_post(theirs) == 0 ? 5 : 2;
               }),
               5);
  CHECK_EQ(sem_wait(turn), 0);
  CHECK_EQ(*word, 77);
  CHECK_EQ(sem_unlink(name), 0);
  CHECK_EQ(shm_unlink(name), 0);
  CHECK_ERRNO(shm_open(name, O_RDWR, 0), ENOENT);
}

TEST(waking_where_nothing_can_be_read) {
  auto* none = map(-1, 0, page, MAP_PRIVATE);
  CHECK_EQ(futex(none, FUTEX_WAKE, 1), 0);
  REQUIRE(mprotect(none, page, PROT_NONE) == 0);
  CHECK_ERRNO(futex(none, FUTEX_WAKE, 1), EFAULT);
  CHECK_ERRNO(futex(none, FUTEX_WAIT, 0), EFAULT);
  CHECK_EQ(futex(none, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), 0);
  REQUIRE(munmap(none, page) == 0);
  CHECK_ERRNO(futex(none, FUTEX_WAKE, 1), EFAULT);
  CHECK_ERRNO(futex(none, FUTEX_WAKE_BITSET, 1, 1), EFAULT);
  CHECK_EQ(futex(none, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), 0);
  CHECK_ERRNO(futex(none, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0), EFAULT);
  unsigned word = 0;
  CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_REQUEUE, 1, 1, none, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_futex, none, FUTEX_REQUEUE, 1, 1, &word, 0), EFAULT);
  const int file = make_file();
  unsigned* beyond = map(file, 0, 3 * page) + 2 * page / sizeof(unsigned);
  CHECK_ERRNO(futex(beyond, FUTEX_WAKE, 1), EFAULT);
  for (unsigned long address : {0xffff'8000'0000'0000ul, 0x8000'0000'0000ul, ~3ul}) {
    CHECK_ERRNO(futex((unsigned*)address, FUTEX_WAKE, 1), EFAULT);
    CHECK_ERRNO(futex((unsigned*)address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1), EFAULT);
  }
}

TEST(a_wake_of_none_wakes_one) {
  for (const unsigned count : {0u, ~0u, 1u}) {
    unsigned* word = map(-1, 0, page);
    const pid_t child = check::start_child([&] { return futex(word, FUTEX_WAIT, 0) == 0 ? 0 : 1; });
    while (futex(word, FUTEX_WAKE, count) == 0) sched_yield();
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EXITED(status, 0);
  }
}
