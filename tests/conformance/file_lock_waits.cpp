// Conformance, waiting for locks on files: what ends a wait, that none is forgotten, and circles of
// processes that wait for each other.
#include "file_locks.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include "process_state.h"

namespace {

struct Shared {
  volatile int counter, step;
};

Shared* share() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(page != MAP_FAILED);
  return static_cast<Shared*>(page);
}

enum class Kind { flock, process, description };

/// Takes a lock of the whole file, by a descriptor of the caller's own.
int lock(Kind kind, int fd, bool exclusive, bool waits) {
  if (kind == Kind::flock)
    return flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | (waits ? 0 : LOCK_NB));
  const int command = kind == Kind::process ? waits ? F_SETLKW : F_SETLK
                      : waits               ? F_OFD_SETLKW
                                            : F_OFD_SETLK;
  return set(fd, exclusive ? F_WRLCK : F_RDLCK, 0, 0, command);
}
int unlock(Kind kind, int fd) {
  if (kind == Kind::flock) return flock(fd, LOCK_UN);
  return set(fd, F_UNLCK, 0, 0, kind == Kind::process ? F_SETLK : F_OFD_SETLK);
}

constexpr Kind kinds[] = {Kind::flock, Kind::process, Kind::description};

/// A child that waits for the lock and ends when it has it. Asleep when this returns. `held` is the
/// descriptor of who has it.
pid_t waiter(Kind kind, bool exclusive, int held = -1) {
  const pid_t child = check::start_child([=] {
    close(held);
    return lock(kind, open_file(), exclusive, true) == 0 ? 0 : errno;
  });
  wait_for_state(child, 'S');
  return child;
}

bool still_waits(pid_t child) {
  usleep(10'000);
  return CHECK_EQ(waitpid(child, nullptr, WNOHANG), 0) && CHECK_EQ(state_of(child), 'S');
}

int end_of(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

template <class Free>
void waits_end_by(Free free) {
  for (Kind kind : kinds) {
    const int fd = open_file();
    CHECK_EQ(lock(kind, fd, true, false), 0);
    const pid_t first = waiter(kind, true, fd), second = waiter(kind, false, fd);
    CHECK(still_waits(first));
    free(kind, fd);
    CHECK_EXITED(end_of(first), 0);
    CHECK_EXITED(end_of(second), 0);
    close(fd);
    unlink(path);
  }
}

void note(int) {}

void handle(int number, int flags) {
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = flags;
  REQUIRE(sigaction(number, &action, nullptr) == 0);
}

}  // namespace

TEST(unlocking_ends_waits) {
  waits_end_by([](Kind kind, int fd) { CHECK_EQ(unlock(kind, fd), 0); });
}

TEST(closing_ends_waits) {
  waits_end_by([](Kind, int fd) { close(fd); });
}

TEST(the_end_of_the_holder_ends_waits) {
  for (Kind kind : kinds) {
    Shared* shared = share();
    const pid_t holder = check::start_child([=] {
      lock(kind, open_file(), true, true);
      shared->step = 1;
      for (;;) pause();
      return 0;
    });
    while (!shared->step) usleep(1000);
    const pid_t first = waiter(kind, true), second = waiter(kind, true);
    CHECK(still_waits(second));
    kill(holder, SIGKILL);
    CHECK_KILLED(end_of(holder), SIGKILL);
    CHECK_EXITED(end_of(first), 0);
    CHECK_EXITED(end_of(second), 0);
    unlink(path);
  }
}

TEST(all_who_share_go_on_together) {
  for (Kind kind : kinds) {
    const int fd = open_file();
    CHECK_EQ(lock(kind, fd, true, false), 0);
    pid_t readers[4];
    for (pid_t& reader : readers) reader = waiter(kind, false, fd);
    const pid_t writer = waiter(kind, true, fd);
    CHECK_EQ(lock(kind, fd, false, false), 0);  // made a shared one
    for (pid_t reader : readers) CHECK_EXITED(end_of(reader), 0);
    CHECK(still_waits(writer));
    CHECK_EQ(unlock(kind, fd), 0);
    CHECK_EXITED(end_of(writer), 0);
    unlink(path);
  }
}

TEST(only_the_range_asked_for_is_waited_for) {
  for (int command : {F_SETLKW, F_OFD_SETLKW}) {
    const int fd = open_file();
    CHECK_EQ(set(fd, F_WRLCK, 0, 10), 0);
    const pid_t child = check::start_child([=] {
      const int own = open_file();
      return set(own, F_RDLCK, 10, 5, command) || set(own, F_WRLCK, 4, 3, command) ? errno : 0;
    });
    wait_for_state(child, 'S');
    CHECK_EQ(set(fd, F_UNLCK, 0, 4), 0);
    CHECK_EQ(set(fd, F_UNLCK, 7, 3), 0);
    CHECK_EQ(set(fd, F_RDLCK, 4, 3), 0);
    CHECK(still_waits(child));
    CHECK_EQ(set(fd, F_UNLCK, 4, 3), 0);
    CHECK_EXITED(end_of(child), 0);
    unlink(path);
  }
}

TEST(signals_end_waits) {
  for (Kind kind : kinds) {
    const int fd = open_file();
    CHECK_EQ(lock(kind, fd, true, false), 0);
    handle(SIGUSR1, 0);
    pid_t child = waiter(kind, true, fd);
    kill(child, SIGUSR1);
    CHECK_EXITED(end_of(child), EINTR);
    child = waiter(kind, true, fd);
    kill(child, SIGKILL);
    CHECK_KILLED(end_of(child), SIGKILL);
    handle(SIGUSR1, SA_RESTART);
    child = waiter(kind, true, fd);
    kill(child, SIGUSR1);
    CHECK(still_waits(child));
    kill(child, SIGSTOP);
    wait_for_state(child, 'T');
    CHECK_EQ(unlock(kind, fd), 0);
    CHECK_EQ(lock(kind, fd, true, false), 0);  // who is stopped cannot have it
    kill(child, SIGCONT);
    CHECK(still_waits(child));
    CHECK_EQ(unlock(kind, fd), 0);
    CHECK_EXITED(end_of(child), 0);
    unlink(path);
  }
}

TEST(no_wait_is_forgotten) {
  constexpr int processes = 8, turns = 100;
  for (Kind kind : kinds) {
    Shared* shared = share();
    pid_t children[processes];
    for (pid_t& child : children)
      child = check::start_child([=] {
        for (int i = 0; i < turns; ++i) {
          const int fd = open_file();
          if (lock(kind, fd, true, true) != 0) return 1;
          const int before = shared->counter;
          if (i % 3 == 0) sched_yield();
          shared->counter = before + 1;
          if (i % 2) unlock(kind, fd);
          close(fd);
        }
        return 0;
      });
    for (pid_t child : children) CHECK_EXITED(end_of(child), 0);
    CHECK_EQ(shared->counter, processes * turns);
    unlink(path);
  }
}

// -- Circles.

/// Processes of which each holds one byte; and waits for the next one.
static void start_chain(int length, pid_t* children, Shared* shared) {
  for (int i = 0; i < length; ++i) {
    children[i] = check::start_child([=] {
      const int fd = open_file();
      if (set(fd, F_WRLCK, i, 1)) return 1;
      shared->step = i + 1;
      while (shared->step < length) usleep(1000);
      return set(fd, F_WRLCK, i + 1, 1, F_SETLKW) ? errno : 0;
    });
    while (shared->step <= i && state_of(children[i]) != 'Z') usleep(1000);
  }
}

TEST(a_circle_is_an_error) {
  for (int length = 1; length <= 3; ++length) {
    Shared* shared = share();
    pid_t children[3];
    const int fd = open_file();
    CHECK_EQ(set(fd, F_WRLCK, length, 1), 0);
    start_chain(length, children, shared);
    for (int i = 0; i < length; ++i) wait_for_state(children[i], 'S');
    usleep(20'000);
    for (int i = 0; i < length; ++i) CHECK_EQ(state_of(children[i]), 'S');
    CHECK_ERRNO(set(fd, F_WRLCK, 0, 1), EAGAIN);
    CHECK_ERRNO(set(fd, F_WRLCK, 0, 1, F_SETLKW), EDEADLK);
    CHECK_ERRNO(set(fd, F_RDLCK, 0, 0, F_SETLKW), EDEADLK);
    CHECK_EQ(set(fd, F_UNLCK), 0);
    for (int i = 0; i < length; ++i) CHECK_EXITED(end_of(children[i]), 0);
    unlink(path);
  }
}

TEST(a_circle_over_two_files_is_an_error) {
  Shared* shared = share();
  const int fd = open_file(), other = open("/tmp/file-locks-other", O_CREAT | O_RDWR, 0600);
  CHECK_EQ(set(fd, F_WRLCK), 0);
  const pid_t child = check::start_child([=] {
    if (set(open("/tmp/file-locks-other", O_RDWR), F_WRLCK)) return 1;
    shared->step = 1;
    return set(open_file(), F_WRLCK, 0, 0, F_SETLKW) ? errno : 0;
  });
  while (!shared->step) usleep(1000);
  wait_for_state(child, 'S');
  usleep(20'000);
  CHECK_ERRNO(set(other, F_RDLCK, 0, 0, F_SETLKW), EDEADLK);
  CHECK_EQ(set(fd, F_UNLCK), 0);
  CHECK_EXITED(end_of(child), 0);
  CHECK_EQ(set(other, F_RDLCK, 0, 0, F_SETLKW), 0);
  unlink(path);
  unlink("/tmp/file-locks-other");
}

TEST(circles_of_descriptions_and_of_flock_wait) {
  for (Kind kind : {Kind::flock, Kind::description}) {
    Shared* shared = share();
    pid_t children[2];
    const char* names[] = {path, "/tmp/file-locks-other"};
    for (int i = 0; i < 2; ++i)
      children[i] = check::start_child([=] {
        const int own = open(names[i], O_CREAT | O_RDWR, 0600);
        if (lock(kind, own, true, true)) return 1;
        shared->step = shared->step + 1;
        while (shared->step < 2) usleep(1000);
        return lock(kind, open(names[1 - i], O_CREAT | O_RDWR, 0600), true, true) ? errno : 0;
      });
    while (shared->step < 2) {
      usleep(1000);
      if (state_of(children[0]) == 'Z' || state_of(children[1]) == 'Z') break;
    }
    for (pid_t child : children) CHECK(still_waits(child));
    kill(children[0], SIGKILL);
    CHECK_KILLED(end_of(children[0]), SIGKILL);
    CHECK_EXITED(end_of(children[1]), 0);
    unlink(path);
    unlink("/tmp/file-locks-other");
  }
}

// -- Threads.

TEST(a_descriptor_closed_while_its_lock_is_waited_for) {
  static int fd, outcome;
  Shared* shared = share();
  const pid_t holder = check::start_child([=] {
    const int own = open_file();
    lock(Kind::process, own, true, true);
    shared->step = 1;
    while (shared->step < 2) usleep(1000);
    return 0;
  });
  while (!shared->step) usleep(1000);
  const pid_t child = check::start_child([=] {
    fd = open_file();
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          outcome = set(fd, F_WRLCK, 0, 4, F_SETLKW) ? errno : 0;
          return nullptr;
        },
        nullptr);
    usleep(50'000);
    close(fd);
    shared->step = 2;
    pthread_join(thread, nullptr);
    CHECK_EQ(outcome, EBADF);
    CHECK(see("................"));
    return 0;
  });
  CHECK_EXITED(end_of(holder), 0);
  CHECK_EXITED(end_of(child), 0);
  unlink(path);
}

TEST(threads_of_a_process_have_one_owner) {
  static int fd;
  fd = open_file();
  CHECK_EQ(set(fd, F_WRLCK, 0, 4), 0);
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        CHECK_EQ(set(fd, F_WRLCK, 2, 4, F_SETLKW), 0);
        CHECK_EQ(set(fd, F_UNLCK, 0, 1), 0);
        return nullptr;
      },
      nullptr);
  pthread_join(thread, nullptr);
  CHECK(see(".wwwww.........."));
  unlink(path);
}
