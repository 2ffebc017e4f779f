// Conformance, semaphores of System V: all operations of a call at once or none, waits and what
// ends them, and what a process's end undoes.
#include <sys/sem.h>

#include "interrupts.h"
#include "segments.h"

namespace {

void* volatile const nowhere = reinterpret_cast<void*>(8);

struct Semaphores {
  int id;
  explicit Semaphores(int count, int flags = 0600) : id(semget(IPC_PRIVATE, count, flags)) {
    REQUIRE(id >= 0);
  }
  ~Semaphores() { semctl(id, 0, IPC_RMID); }
  int change(int by, int flags = 0, unsigned short which = 0) const {
    sembuf operation = {which, static_cast<short>(by), static_cast<short>(flags)};
    return semop(id, &operation, 1);
  }
  int value(int which = 0) const { return semctl(id, which, GETVAL); }
  void until_waiting(int count = 1) const {
    while (semctl(id, 0, GETNCNT) < count) usleep(1000);
  }
};

}  // namespace

TEST(a_semaphore_counts) {
  Semaphores s(2);
  CHECK_EQ(s.value(), 0);
  CHECK_EQ(s.change(3), 0);
  CHECK_EQ(s.change(-1), 0);
  CHECK_EQ(s.value(), 2);
  CHECK_EQ(s.value(1), 0);
  CHECK_EQ(semctl(s.id, 0, GETPID), getpid());
  CHECK_ERRNO(s.change(-3, IPC_NOWAIT), EAGAIN);
  CHECK_ERRNO(s.change(0, IPC_NOWAIT), EAGAIN);
  CHECK_EQ(s.change(0, 0, 1), 0);
  CHECK_EQ(semctl(s.id, 0, SETVAL, 32767), 0);
  CHECK_ERRNO(s.change(1), ERANGE);
  CHECK_ERRNO(semctl(s.id, 0, SETVAL, 32768), ERANGE);
  CHECK_ERRNO(semctl(s.id, 0, SETVAL, -1), ERANGE);
  CHECK_ERRNO(semctl(s.id, 2, GETVAL), EINVAL);
  CHECK_ERRNO(s.change(1, 0, 2), EFBIG);
}

TEST(all_at_once_or_none) {
  Semaphores s(2);
  sembuf operations[] = {{0, 2, 0}, {1, -1, IPC_NOWAIT}};
  CHECK_ERRNO(semop(s.id, operations, 2), EAGAIN);
  CHECK_EQ(s.value(), 0);
  sembuf one_after_the_other[] = {{0, 2, 0}, {0, -1, 0}, {0, -1, 0}, {0, 0, 0}};
  CHECK_EQ(semop(s.id, one_after_the_other, 4), 0);
  unsigned short values[2] = {5, 6};
  CHECK_EQ(semctl(s.id, 0, SETALL, values), 0);
  memset(values, 0, sizeof values);
  CHECK_EQ(semctl(s.id, 0, GETALL, values), 0);
  CHECK(values[0] == 5 && values[1] == 6);
  CHECK_EQ(semop(s.id, operations, 2), 0);
  CHECK(s.value() == 7 && s.value(1) == 5);
}

TEST(who_waits_is_woken) {
  Semaphores s(1);
  const pid_t child = check::start_child([&] { return s.change(-2); });
  s.until_waiting();
  CHECK_EQ(s.change(1), 0);
  CHECK_EQ(semctl(s.id, 0, GETNCNT), 1);
  CHECK_EQ(s.change(1), 0);
  int status;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  CHECK_EQ(s.value(), 0);
  s.change(1);
  const pid_t for_zero = check::start_child([&] { return s.change(0); });
  while (semctl(s.id, 0, GETZCNT) < 1) usleep(1000);
  CHECK_EQ(semctl(s.id, 0, GETNCNT), 0);
  CHECK_EQ(s.change(-1), 0);
  waitpid(for_zero, &status, 0);
  CHECK_EXITED(status, 0);
}

TEST(what_ends_a_wait) {
  Semaphores s(1);
  const timespec soon = {0, 10'000'000}, wrong = {0, -1};
  sembuf take = {0, -1, 0};
  CHECK_ERRNO(semtimedop(s.id, &take, 1, &soon), EAGAIN);
  CHECK_ERRNO(semtimedop(s.id, &take, 1, &wrong), EINVAL);
  CHECK_ERRNO(semtimedop(s.id, &take, 1, static_cast<timespec*>(nowhere)), EFAULT);
  interrupt_soon();
  CHECK_ERRNO(s.change(-1), EINTR);  // whatever the handler says
  interrupt_no_more();
  const int id = semget(IPC_PRIVATE, 1, 0600);
  const pid_t child = check::start_child([&] {
    CHECK_ERRNO(semop(id, &take, 1), EIDRM);
    return 0;
  });
  while (semctl(id, 0, GETNCNT) < 1) usleep(1000);
  CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
  int status;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  CHECK_ERRNO(semop(id, &take, 1), EINVAL);
}

TEST(a_process_s_end_undoes) {
  Semaphores s(2);
  semctl(s.id, 0, SETVAL, 5);
  CHECK_EXITED(check::in_child([&] {
                 CHECK_EQ(s.change(-2, SEM_UNDO), 0);
                 CHECK_EQ(s.change(-1), 0);
                 CHECK_EQ(s.change(3, SEM_UNDO, 1), 0);
                 return 0;
               }),
               0);
  CHECK_EQ(s.value(0), 4);
  CHECK_EQ(s.value(1), 0);
  const pid_t child = check::start_child([&] {
    s.change(-1, SEM_UNDO);
    pause();
    return 0;
  });
  while (s.value() != 3) usleep(1000);
  semctl(s.id, 0, SETVAL, 1);  // nothing is undone any more
  kill(child, SIGKILL);
  int status;
  waitpid(child, &status, 0);
  CHECK_KILLED(status, SIGKILL);
  CHECK_EQ(s.value(), 1);
}

TEST(a_child_does_not_undo_what_its_parent_did) {
  Semaphores s(1);
  CHECK_EQ(s.change(2, SEM_UNDO), 0);
  CHECK_EXITED(check::in_child([] { return 0; }), 0);
  CHECK_EQ(s.value(), 2);
}

TEST(refused_of_semaphores) {
  Semaphores s(1);
  const key_t key = 0x54500003 + getpid();
  sembuf give = {0, 1, 0};
  CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
  CHECK_ERRNO(semget(IPC_PRIVATE, -1, 0600), EINVAL);
  CHECK_ERRNO(semget(IPC_PRIVATE, 1 << 20, 0600), EINVAL);
  CHECK_ERRNO(semget(key, 1, 0600), ENOENT);
  const int id = semget(key, 2, IPC_CREAT | 0600);
  CHECK_EQ(semget(key, 1, 0600), id);
  CHECK_EQ(semget(key, 0, 0), id);
  CHECK_ERRNO(semget(key, 3, 0600), EINVAL);
  CHECK_ERRNO(semget(key, 2, IPC_CREAT | IPC_EXCL), EEXIST);
  CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
  CHECK_ERRNO(semop(-1, &give, 1), EINVAL);
  CHECK_ERRNO(semop(s.id, &give, 0), EINVAL);
  CHECK_ERRNO(semop(s.id, &give, 501), E2BIG);
  CHECK_ERRNO(semop(s.id, static_cast<sembuf*>(nowhere), 1), EFAULT);
  CHECK_ERRNO(semctl(s.id, 0, 99), EINVAL);
  CHECK_ERRNO(semctl(s.id, 0, GETALL, nowhere), EFAULT);
  CHECK_ERRNO(semctl(s.id, 0, SETALL, nowhere), EFAULT);
  CHECK_ERRNO(semctl(s.id, 0, IPC_STAT, nowhere), EFAULT);
  CHECK_ERRNO(semctl(s.id, 0, IPC_SET, nowhere), EFAULT);
  CHECK_EXITED(check::in_child([&] {
                 REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
                 CHECK_ERRNO(s.change(1), EACCES);
                 CHECK_ERRNO(s.change(0), EACCES);
                 CHECK_ERRNO(semctl(s.id, 0, GETVAL), EACCES);
                 CHECK_ERRNO(semctl(s.id, 0, SETVAL, 1), EACCES);
                 CHECK_ERRNO(semctl(s.id, 0, IPC_RMID), EPERM);
                 return 0;
               }),
               0);
}

TEST(many_take_turns) {
  Semaphores s(1);
  Segment shared(4096);
  auto* count = reinterpret_cast<volatile int*>(shared.attach());
  semctl(s.id, 0, SETVAL, 1);
  for (int i = 0; i < 8; ++i)
    check::start_child([&] {
      for (int turn = 0; turn < 100; ++turn) {
        if (s.change(-1, SEM_UNDO) != 0) return 1;
        const int before = *count;
        if (turn % 10 == 0) usleep(1);
        *count = before + 1;
        if (s.change(1, SEM_UNDO) != 0) return 1;
      }
      return 0;
    });
  int status;
  while (wait(&status) > 0) CHECK_EXITED(status, 0);
  CHECK_EQ(*count, 800);
  CHECK_EQ(s.value(), 1);
}
