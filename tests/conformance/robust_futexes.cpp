// Conformance, robust futexes: what the end of a thread that holds locks does to their words. The
// threads here are processes with shared memory.
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

constexpr int most_locks = 3000;
constexpr unsigned waiters = FUTEX_WAITERS, died = FUTEX_OWNER_DIED;

struct Lock {
  robust_list link;
  unsigned word;
};

struct Shared {
  robust_list_head head;
  Lock locks[most_locks];
  unsigned ready;
};

Shared* shared = nullptr;

void map_shared() {
  void* at =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(at != MAP_FAILED);
  shared = static_cast<Shared*>(at);
}

unsigned word_of(int lock) {
  return __atomic_load_n(&shared->locks[lock].word, __ATOMIC_SEQ_CST);
}

/// The first `count` locks as a list of this thread's.
void hold(int count, unsigned flags = 0) {
  shared->head.futex_offset = offsetof(Lock, word);
  robust_list* link = &shared->head.list;
  for (int i = 0; i < count; ++i) {
    link->next = &shared->locks[i].link;
    link = link->next;
    shared->locks[i].word = (unsigned)getpid() | flags;
  }
  link->next = &shared->head.list;
  shared->head.list_op_pending = nullptr;
  if (syscall(SYS_set_robust_list, &shared->head, sizeof shared->head)) _exit(80);
}

long futex(unsigned* word, int operation, unsigned value) {
  return syscall(SYS_futex, word, operation, value, nullptr, nullptr, 0);
}

}  // namespace

TEST(the_list_can_be_asked_for) {
  map_shared();
  void* head = nullptr;
  size_t bytes = 0;
  CHECK_EQ(syscall(SYS_set_robust_list, &shared->head, sizeof shared->head), 0);
  CHECK_EQ(syscall(SYS_get_robust_list, 0, &head, &bytes), 0);
  CHECK(head == &shared->head);
  CHECK_EQ(bytes, sizeof(robust_list_head));
  head = nullptr;
  CHECK_EQ(syscall(SYS_get_robust_list, getpid(), &head, &bytes), 0);
  CHECK(head == &shared->head);
  CHECK_ERRNO(syscall(SYS_get_robust_list, 999999, &head, &bytes), ESRCH);
  CHECK_ERRNO(syscall(SYS_set_robust_list, &shared->head, 23), EINVAL);
  CHECK_ERRNO(syscall(SYS_get_robust_list, 0, nullptr, &bytes), EFAULT);
  syscall(SYS_set_robust_list, nullptr, sizeof shared->head);
}

TEST(a_forked_child_begins_without) {
  map_shared();
  CHECK_EQ(syscall(SYS_set_robust_list, &shared->head, sizeof shared->head), 0);
  long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);  // the C library's sets one of its own
  if (child == 0) {
    void* head = shared;
    size_t bytes = 0;
    syscall(SYS_get_robust_list, 0, &head, &bytes);
    syscall(SYS_exit_group, head == nullptr ? 0 : 1);
  }
  int status;
  CHECK_EQ(waitpid((pid_t)child, &status, 0), child);
  CHECK_EXITED(status, 0);
  syscall(SYS_set_robust_list, nullptr, sizeof shared->head);
}

TEST(the_end_marks_what_was_held) {
  map_shared();
  shared->locks[3].word = 12345;
  CHECK_EXITED(check::in_child([] {
                 hold(3);
                 shared->locks[1].word |= waiters;
                 shared->locks[2].word = 1;  // somebody else's
                 return 0;
               }),
               0);
  CHECK_EQ(word_of(0), died);
  CHECK_EQ(word_of(1), waiters | died);
  CHECK_EQ(word_of(2), 1);
  CHECK_EQ(word_of(3), 12345);
}

TEST(so_does_a_signal_that_kills) {
  map_shared();
  CHECK_KILLED(check::in_child([] {
                 hold(2);
                 return kill(getpid(), SIGKILL);
               }),
               SIGKILL);
  CHECK_EQ(word_of(0), died);
  CHECK_EQ(word_of(1), died);
}

int helper(int, char**) {
  return 0;
}

TEST(execve_lets_go_too) {
  map_shared();
  CHECK_EXITED(check::in_child([] {
                 hold(2);
                 execl(check::self_path, check::self_path, "--helper", nullptr);
                 return 1;
               }),
               0);
  CHECK_EQ(word_of(0), died);
  CHECK_EQ(word_of(1), died);
}

TEST(an_execve_that_fails_does_not) {
  map_shared();
  CHECK_EXITED(check::in_child([] {
                 hold(1);
                 execl("/does/not/exist", "x", nullptr);
                 return word_of(0) == (unsigned)getpid() ? 0 : 1;
               }),
               0);
}

TEST(one_who_waits_learns_of_the_death) {
  map_shared();
  pid_t child = check::start_child([] {
    hold(1, waiters);
    __atomic_store_n(&shared->ready, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 100; ++i) sched_yield();
    return 0;
  });
  while (!__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST)) sched_yield();
  // Whether it dies before or after: it is seen.
  while (word_of(0) == ((unsigned)child | waiters))
    futex(&shared->locks[0].word, FUTEX_WAIT, (unsigned)child | waiters);
  CHECK_EQ(word_of(0), waiters | died);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
}

TEST(what_was_about_to_be_locked_counts) {
  map_shared();
  CHECK_EXITED(check::in_child([] {
                 hold(0);
                 shared->locks[5].word = (unsigned)getpid();
                 shared->head.list_op_pending = &shared->locks[5].link;
                 return 0;
               }),
               0);
  CHECK_EQ(word_of(5), died);
}

TEST(what_was_about_to_be_unlocked_wakes) {
  map_shared();
  pid_t child = check::start_child([] {
    while (futex(&shared->locks[5].word, FUTEX_WAIT, 0) != 0) {
    }
    return 7;
  });
  // Each of these has unlocked it and not come to waking anybody.
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    CHECK_EXITED(check::in_child([] {
                   hold(0);
                   shared->head.list_op_pending = &shared->locks[5].link;
                   return 0;
                 }),
                 0);
  }
  CHECK_EXITED(status, 7);
}

TEST(a_list_without_end_ends) {
  map_shared();
  CHECK_EXITED(check::in_child([] {
                 hold(2);
                 shared->locks[1].link.next = &shared->locks[1].link;
                 return 0;
               }),
               0);
  CHECK_EQ(word_of(0), died);
  CHECK_EQ(word_of(1), died);
}

TEST(so_many_and_no_more_are_looked_at) {
  map_shared();
  CHECK_EXITED(check::in_child([] {
                 hold(most_locks);
                 return 0;
               }),
               0);
  int marked = 0;
  while (marked < most_locks && word_of(marked) == died) ++marked;
  CHECK_EQ(marked, ROBUST_LIST_LIMIT);
}

TEST(forged_links_end_the_walk) {
  map_shared();
  for (unsigned long next : {0ul, 1ul, 8ul, 0x7fff'ffff'f000ul, ~0ul, 1ul << 63}) {
    CHECK_EXITED(check::in_child([&] {
                   hold(2);
                   shared->locks[0].link.next = (robust_list*)next;
                   return 0;
                 }),
                 0);
    CHECK_EQ(word_of(0), died);
    CHECK(word_of(1) != died);
  }
  // A word that is no word: nothing behind it is looked at.
  CHECK_EXITED(check::in_child([] {
                 hold(3);
                 shared->head.futex_offset += 2;
                 return 0;
               }),
               0);
  CHECK(word_of(0) != died);
  // No list at all.
  CHECK_EXITED(check::in_child([] {
                 return (int)syscall(SYS_set_robust_list, 16ul, sizeof(robust_list_head));
               }),
               0);
}
