// Conformance, System V: shared memory, semaphores and messages, between processes that share
// nothing else. What is made is removed, as it would outlive the test.
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/time.h>

#include "check.h"

namespace {

void* volatile const nowhere = reinterpret_cast<void*>(8);

struct Segment {
  int id;
  explicit Segment(size_t bytes, int flags = 0600) : id(shmget(IPC_PRIVATE, bytes, flags)) {
    REQUIRE(id >= 0);
  }
  ~Segment() { shmctl(id, IPC_RMID, nullptr); }
  char* attach(int flags = 0, void* at = nullptr) const {
    void* address = shmat(id, at, flags);
    REQUIRE(address != reinterpret_cast<void*>(-1));
    return static_cast<char*>(address);
  }
  shmid_ds status() const {
    shmid_ds out;
    REQUIRE(shmctl(id, IPC_STAT, &out) == 0);
    return out;
  }
};

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

struct Message {
  long type;
  char text[16];
};
struct Queue {
  int id = msgget(IPC_PRIVATE, 0600);
  Queue() { REQUIRE(id >= 0); }
  ~Queue() { msgctl(id, IPC_RMID, nullptr); }
  int send(long type, const char* text, int flags = 0) const {
    Message message = {type, {}};
    strcpy(message.text, text);
    return msgsnd(id, &message, strlen(text) + 1, flags);
  }
  // The text of the message that was asked for; "" when there is none.
  const char* receive(long type, int flags = IPC_NOWAIT) {
    last = {};
    return msgrcv(id, &last, sizeof last.text, type, flags) < 0 ? "" : last.text;
  }
  Message last = {};
};

void nothing(int) {}
void interrupt_soon() {
  struct sigaction action = {};
  action.sa_handler = nothing;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval soon = {{0, 20'000}, {0, 50'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
}

}  // namespace

// -- Shared memory

TEST(a_segment_is_shared) {
  Segment s(10000);
  char* mine = s.attach();
  CHECK_EQ(mine[0], 0);
  CHECK_EQ(mine[10000], 0);
  CHECK_EXITED(check::in_child([&] {
                 char* theirs = s.attach();
                 CHECK(theirs != mine);  // inherited it is, and attached once more
                 theirs[5000] = 'x';
                 mine[5001] = 'y';
                 CHECK_EQ(s.status().shm_nattch, 3);
                 return 0;
               }),
               0);
  CHECK(mine[5000] == 'x' && mine[5001] == 'y');
  CHECK_EQ(s.status().shm_nattch, 1);
  CHECK_EQ(shmdt(mine), 0);
  CHECK_EQ(s.status().shm_nattch, 0);
  CHECK_EQ(s.attach()[5000], 'x');  // it outlives its users
}

TEST(status_of_a_segment) {
  const time_t before = time(nullptr);
  Segment s(10000, 0640);
  shmid_ds status = s.status();
  CHECK_EQ(status.shm_segsz, 10000);
  CHECK_EQ(status.shm_perm.mode, 0640);
  CHECK(status.shm_cpid == getpid() && status.shm_lpid == 0 && status.shm_atime == 0);
  CHECK(status.shm_ctime >= before && status.shm_perm.uid == getuid());
  shmdt(s.attach());
  status = s.status();
  CHECK(status.shm_lpid == getpid() && status.shm_atime >= before && status.shm_dtime >= before);
  status.shm_perm.mode = 0777 | 07000;
  status.shm_perm.uid = 1000;
  CHECK_EQ(shmctl(s.id, IPC_SET, &status), 0);
  CHECK_EQ(s.status().shm_perm.mode, 0777);
  CHECK_EQ(s.status().shm_perm.uid, 1000);
  CHECK_EQ(shmctl(s.id, SHM_LOCK, nullptr), 0);
  CHECK(s.status().shm_perm.mode & SHM_LOCKED);
  CHECK_EQ(shmctl(s.id, SHM_UNLOCK, nullptr), 0);
  CHECK(!(s.status().shm_perm.mode & SHM_LOCKED));
}

TEST(a_removed_segment_lives_as_long_as_it_is_attached) {
  const key_t key = 0x54500001 + getpid();
  const int id = shmget(key, 4096, IPC_CREAT | 0600);
  REQUIRE(id >= 0);
  auto* mine = static_cast<char*>(shmat(id, nullptr, 0));
  mine[0] = 'x';
  CHECK_EQ(shmctl(id, IPC_RMID, nullptr), 0);
  shmid_ds status;
  CHECK_EQ(shmctl(id, IPC_STAT, &status), 0);
  CHECK(status.shm_perm.mode & SHM_DEST);
  CHECK_ERRNO(shmget(key, 4096, 0600), ENOENT);
  auto* again = static_cast<char*>(shmat(id, nullptr, 0));  // by number it is still there
  CHECK_EQ(again[0], 'x');
  CHECK_EQ(shmdt(mine), 0);
  CHECK_EQ(shmdt(again), 0);
  CHECK_ERRNO(shmctl(id, IPC_STAT, &status), EINVAL);
  CHECK(shmat(id, nullptr, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
}

TEST(keys) {
  const key_t key = 0x54500002 + getpid();
  CHECK_ERRNO(shmget(key, 4096, 0600), ENOENT);
  const int id = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
  CHECK(id >= 0);
  CHECK_EQ(shmget(key, 4096, 0600), id);
  CHECK_EQ(shmget(key, 0, 0), id);
  CHECK_EQ(shmget(key, 100, IPC_CREAT | 0600), id);
  CHECK_ERRNO(shmget(key, 4097, 0600), EINVAL);
  CHECK_ERRNO(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
  CHECK_EXITED(check::in_child([&] {
                 REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
                 CHECK_ERRNO(shmget(key, 4096, 0400), EACCES);
                 CHECK_EQ(shmget(key, 4096, 0), id);
                 CHECK(shmat(id, nullptr, SHM_RDONLY) == reinterpret_cast<void*>(-1));
                 CHECK_EQ(errno, EACCES);
                 shmid_ds status;
                 CHECK_ERRNO(shmctl(id, IPC_STAT, &status), EACCES);
                 CHECK_ERRNO(shmctl(id, IPC_RMID, nullptr), EPERM);
                 CHECK_ERRNO(shmctl(id, SHM_LOCK, nullptr), EPERM);
                 return 0;
               }),
               0);
  CHECK_EQ(shmctl(id, IPC_RMID, nullptr), 0);
}

TEST(where_it_is_attached) {
  Segment s(8192);
  auto* room =
      static_cast<char*>(mmap(nullptr, 4 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  CHECK(shmat(s.id, room, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
  CHECK(shmat(s.id, room + 1, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
  CHECK(shmat(s.id, nullptr, SHM_REMAP) == reinterpret_cast<void*>(-1) && errno == EINVAL);
  CHECK(s.attach(SHM_REMAP, room) == room);
  room[8191] = 'x';
  munmap(room + 8192, 8192);
  CHECK(s.attach(SHM_RND, room + 8192 + 5) == room + 8192);
  CHECK_EQ(room[2 * 8192 - 1], 'x');
  CHECK_EQ(s.status().shm_nattch, 2);
  CHECK_ERRNO(shmdt(room + 4096), EINVAL);
  CHECK_ERRNO(shmdt(room + 1), EINVAL);
  munmap(room, 4096);  // in part
  CHECK_EQ(shmdt(room), 0);
  CHECK_EQ(s.status().shm_nattch, 1);
  CHECK_EQ(shmdt(room + 8192), 0);
  CHECK_ERRNO(shmdt(room + 8192), EINVAL);
  CHECK_EQ(s.status().shm_nattch, 0);
}

TEST(attached_for_reading) {
  Segment s(4096);
  char* address = s.attach(SHM_RDONLY);
  CHECK_EQ(address[0], 0);
  CHECK_ERRNO(mprotect(address, 4096, PROT_READ | PROT_WRITE), EACCES);
  CHECK_KILLED(check::in_child([&] { return *const_cast<volatile char*>(address) = 1, 0; }),
               SIGSEGV);
}

TEST(the_end_of_a_process_detaches) {
  Segment s(4096);
  s.attach();
  CHECK_EXITED(check::in_child([&] {
                 s.attach();
                 return s.status().shm_nattch == 3 ? 0 : 1;
               }),
               0);
  CHECK_EQ(s.status().shm_nattch, 1);
}

TEST(refused_of_segments) {
  shmid_ds status;
  Segment s(4096);
  CHECK_ERRNO(shmctl(-1, IPC_STAT, &status), EINVAL);
  CHECK_ERRNO(shmctl(s.id, 99, &status), EINVAL);
  CHECK_ERRNO(shmctl(s.id, IPC_STAT, static_cast<shmid_ds*>(nowhere)), EFAULT);
  CHECK_ERRNO(shmctl(s.id, IPC_SET, static_cast<shmid_ds*>(nowhere)), EFAULT);
  CHECK_ERRNO(shmctl(0, IPC_INFO, static_cast<shmid_ds*>(nowhere)), EFAULT);
  CHECK(shmctl(0, IPC_INFO, &status) >= 0);
  CHECK(shmat(-1, nullptr, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
  CHECK_ERRNO(shmdt(nowhere), EINVAL);
  CHECK_ERRNO(shmdt(nullptr), EINVAL);
}

// -- Semaphores

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
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
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

// -- Messages

TEST(messages_come_in_order_or_by_type) {
  Queue q;
  for (const char* text : {"3a", "1b", "2c", "1d", "3e"}) CHECK_EQ(q.send(text[0] - '0', text), 0);
  CHECK(strcmp(q.receive(0), "3a") == 0 && q.last.type == 3);
  CHECK(strcmp(q.receive(1), "1b") == 0);
  CHECK(strcmp(q.receive(-2), "1d") == 0);
  CHECK(strcmp(q.receive(-2), "2c") == 0);
  CHECK(strcmp(q.receive(3, MSG_EXCEPT | IPC_NOWAIT), "") == 0 && errno == ENOMSG);
  CHECK_ERRNO(msgrcv(q.id, &q.last, 16, -2, IPC_NOWAIT), ENOMSG);
  CHECK(strcmp(q.receive(5, MSG_EXCEPT | IPC_NOWAIT), "3e") == 0);
  CHECK_ERRNO(msgrcv(q.id, &q.last, 16, 0, IPC_NOWAIT), ENOMSG);
}

TEST(lengths_of_messages) {
  Queue q;
  CHECK_EQ(q.send(1, "0123456789"), 0);
  CHECK_ERRNO(msgrcv(q.id, &q.last, 4, 0, 0), E2BIG);
  CHECK_EQ(msgrcv(q.id, &q.last, 4, 0, MSG_NOERROR), 4);
  CHECK(memcmp(q.last.text, "0123", 4) == 0);
  CHECK_ERRNO(msgrcv(q.id, &q.last, 4, 0, IPC_NOWAIT), ENOMSG);
  CHECK_EQ(msgsnd(q.id, &q.last, 0, 0), 0);
  CHECK_EQ(msgrcv(q.id, &q.last, 16, 0, 0), 0);
}

TEST(a_full_queue_makes_wait) {
  Queue q;
  static char large[sizeof(long) + 8192] = {1};
  CHECK_EQ(msgsnd(q.id, large, 8192, 0), 0);
  CHECK_EQ(msgsnd(q.id, large, 8192, 0), 0);
  CHECK_ERRNO(msgsnd(q.id, large, 1, IPC_NOWAIT), EAGAIN);
  const pid_t child = check::start_child([&] { return q.send(7, "late"); });
  usleep(20000);
  CHECK_EQ(msgrcv(q.id, large, 8192, 0, 0), 8192);
  CHECK(strcmp(q.receive(7, 0), "late") == 0);
  int status;
  waitpid(child, &status, 0);
  CHECK_EXITED(status, 0);
  msqid_ds now;
  CHECK_EQ(msgctl(q.id, IPC_STAT, &now), 0);
  CHECK(now.msg_qnum == 1 && now.__msg_cbytes == 8192 && now.msg_lspid == child);
  CHECK_EQ(now.msg_lrpid, getpid());
}

TEST(what_ends_a_wait_for_messages) {
  Queue q;
  interrupt_soon();
  CHECK_ERRNO(msgrcv(q.id, &q.last, 16, 0, 0), EINTR);
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
  const int id = msgget(IPC_PRIVATE, 0600);
  const pid_t child = check::start_child([&] {
    CHECK_ERRNO(msgrcv(id, &q.last, 16, 0, 0), EIDRM);
    return 0;
  });
  usleep(20000);
  CHECK_EQ(msgctl(id, IPC_RMID, nullptr), 0);
  int status;
  waitpid(child, &status, 0);
  // Before it waited, or while.
  CHECK(WIFEXITED(status));
  CHECK_ERRNO(msgrcv(id, &q.last, 16, 0, 0), EINVAL);
}

TEST(refused_of_messages) {
  Queue q;
  CHECK_ERRNO(q.send(0, "x"), EINVAL);
  CHECK_ERRNO(q.send(-1, "x"), EINVAL);
  CHECK_ERRNO(msgsnd(q.id, &q.last, 8193, 0), EINVAL);
  CHECK_ERRNO(msgsnd(-1, &q.last, 1, 0), EINVAL);
  CHECK_ERRNO(msgsnd(q.id, nowhere, 1, 0), EFAULT);
  CHECK_ERRNO(msgrcv(q.id, &q.last, -1, 0, 0), EINVAL);
  CHECK_ERRNO(msgrcv(-1, &q.last, 1, 0, 0), EINVAL);
  CHECK_EQ(q.send(1, "x"), 0);
  CHECK_ERRNO(msgrcv(q.id, nowhere, 16, 0, 0), EFAULT);
  CHECK_ERRNO(msgctl(q.id, 99, nullptr), EINVAL);
  CHECK_ERRNO(msgctl(q.id, IPC_STAT, static_cast<msqid_ds*>(nowhere)), EFAULT);
  CHECK_EXITED(check::in_child([&] {
                 REQUIRE(setgid(1000) == 0 && setuid(1000) == 0);
                 CHECK_ERRNO(q.send(1, "x"), EACCES);
                 CHECK_ERRNO(msgrcv(q.id, &q.last, 16, 0, IPC_NOWAIT), EACCES);
                 CHECK_ERRNO(msgctl(q.id, IPC_RMID, nullptr), EPERM);
                 return 0;
               }),
               0);
}
