// Conformance, threads: what a process's threads share and what each has for itself, and their
// ends.
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include "check.h"

namespace {

int tid() {
  return (int)syscall(SYS_gettid);
}

/// Threads that all do `work`, which must outlive them.
template <int count, class Work>
class Threads {
 public:
  explicit Threads(Work& work) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (pthread_t& thread : threads) REQUIRE(pthread_create(&thread, &small, start, &work) == 0);
  }
  void join() {
    for (pthread_t thread : threads) CHECK_EQ(pthread_join(thread, nullptr), 0);
  }
  pthread_t threads[count];

 private:
  static void* start(void* work) {
    (*static_cast<Work*>(work))();
    return nullptr;
  }
};
template <int count = 1, class Work>
Threads<count, Work> start(Work& work) {
  return Threads<count, Work>(work);
}

/// Long enough for another thread to fall asleep; no test is wrong if it has not.
void nap() {
  usleep(5000);
}

void wait_until_set(int& word) {
  while (!__atomic_load_n(&word, __ATOMIC_ACQUIRE)) sched_yield();
}
void set(int& word, int value) {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

__thread int own = 3;

}  // namespace

TEST(are_of_one_process) {
  int pid = 0, other = 0;
  auto work = [&] { pid = getpid(), other = tid(); };
  auto thread = start(work);
  thread.join();
  CHECK_EQ(pid, getpid());
  CHECK(other != pid);
  CHECK_EQ(tid(), getpid());
}

TEST(have_thread_local_storage_and_share_the_rest) {
  int shared = 1, seen = 0;
  auto work = [&] { seen = own, own = 9, shared = 2; };
  auto thread = start(work);
  thread.join();
  CHECK_EQ(seen, 3);
  CHECK_EQ(own, 3);
  CHECK_EQ(shared, 2);
}

TEST(count_under_a_mutex) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static long sum;
  auto work = [&] {
    for (int i = 0; i < 2000; ++i) {
      pthread_mutex_lock(&mutex);
      long before = sum;
      if (i % 100 == 0) sched_yield();
      sum = before + 1;
      pthread_mutex_unlock(&mutex);
    }
  };
  start<8>(work).join();
  CHECK_EQ(sum, 16000);
}

TEST(pass_a_ball_by_condition_variables) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  static int turn, rounds;
  auto work = [&] {
    pthread_mutex_lock(&mutex);
    while (rounds < 2000) {
      while (turn != 1 && rounds < 2000) pthread_cond_wait(&changed, &mutex);
      turn = 0, ++rounds;
      pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&mutex);
  };
  auto thread = start(work);
  pthread_mutex_lock(&mutex);
  while (rounds < 2000) {
    while (turn != 0 && rounds < 2000) pthread_cond_wait(&changed, &mutex);
    turn = 1, ++rounds;
    pthread_cond_broadcast(&changed);
  }
  pthread_mutex_unlock(&mutex);
  thread.join();
  CHECK(rounds >= 2000);
}

TEST(wait_at_barriers_and_semaphores) {
  static pthread_barrier_t barrier;
  static sem_t passed;
  REQUIRE(pthread_barrier_init(&barrier, nullptr, 4) == 0 && sem_init(&passed, 0, 0) == 0);
  auto work = [&] {
    for (int i = 0; i < 50; ++i) pthread_barrier_wait(&barrier);
    sem_post(&passed);
  };
  auto threads = start<4>(work);
  for (int i = 0; i < 4; ++i) CHECK_EQ(sem_wait(&passed), 0);
  threads.join();
}

TEST(keep_their_registers_and_vectors) {
  static volatile bool wrong;
  auto work = [&] {
    double mine = tid() * 1.5, sum = 0;
    for (int i = 0; i < 300; ++i) {
      asm volatile("" : "+x"(mine));
      sum += mine;
      sched_yield();
    }
    if (sum != 300 * (tid() * 1.5)) wrong = true;
  };
  start<6>(work).join();
  CHECK(!wrong);
}

TEST(two_hundred_end_at_once) {
  static pthread_barrier_t barrier;
  REQUIRE(pthread_barrier_init(&barrier, nullptr, 201) == 0);
  auto work = [&] { pthread_barrier_wait(&barrier); };
  auto threads = start<200>(work);
  pthread_barrier_wait(&barrier);
  threads.join();
}

TEST(exit_group_ends_those_that_sleep) {
  CHECK_EXITED(check::in_child([] {
                 int ready = 0;
                 auto work = [&] { set(ready, 1), pause(); };
                 start<3>(work);
                 wait_until_set(ready);
                 nap();
                 return 7;
               }),
               7);
}

TEST(a_process_lives_as_long_as_its_last_thread) {
  CHECK_EXITED(check::in_child([] {
                 static auto work = [] { nap(), _exit(5); };
                 start(work);
                 return (int)syscall(SYS_exit, 3);
               }),
               5);
}

// What execve is to start: is it what it was, and alone?
int helper(int, char** argv) {
  const int wanted = atoi(argv[0]);
  return getpid() == wanted && tid() == wanted ? 42 : 1;
}

TEST(execve_of_one_ends_the_others_and_takes_the_process_number) {
  CHECK_EXITED(check::in_child([] {
                 auto sleep = [] { pause(); };
                 start<3>(sleep);
                 nap();
                 char pid[16];
                 snprintf(pid, sizeof pid, "%d", getpid());
                 auto become = [&] {
                   execl(check::self_path, check::self_path, "--helper", pid, nullptr);
                 };
                 start(become);
                 pause();
                 return 8;
               }),
               42);
}

TEST(fork_takes_the_forking_thread_alone) {
  static int status;
  auto work = [&] {
    const int parent = getpid();
    pid_t child = fork();
    if (child == 0) _exit(tid() == getpid() && getppid() == parent ? 4 : 5);
    waitpid(child, &status, 0);
  };
  auto thread = start(work);
  thread.join();
  CHECK_EXITED(status, 4);
}

TEST(signals_go_to_the_thread_that_they_are_for) {
  static int caught_by, other;
  struct sigaction action {};
  action.sa_handler = [](int) { caught_by = tid(); };
  sigaction(SIGUSR1, &action, nullptr);
  auto work = [&] {
    set(other, tid());
    while (!caught_by) nap();
  };
  auto thread = start(work);
  wait_until_set(other);
  nap();
  CHECK_EQ(syscall(SYS_tgkill, getpid(), other, SIGUSR1), 0);
  thread.join();
  CHECK_EQ(caught_by, other);
  CHECK_ERRNO(syscall(SYS_tgkill, getpid(), other, SIGUSR1), ESRCH);
  CHECK_ERRNO(syscall(SYS_tgkill, getpid() + 1, getpid(), SIGUSR1), ESRCH);
  CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
}

TEST(cancellation_ends_a_sleeper) {
  auto work = [] { pause(); };
  auto thread = start(work);
  nap();
  CHECK_EQ(pthread_cancel(thread.threads[0]), 0);
  void* result = nullptr;
  CHECK_EQ(pthread_join(thread.threads[0], &result), 0);
  CHECK(result == PTHREAD_CANCELED);
}

TEST(bad_requests) {
  CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD | CLONE_VM, 0, 0, 0, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
}
