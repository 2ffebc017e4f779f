// Hostile: the attic, where the kernel keeps what it has much of, is opened slab by slab while the
// kernel runs. Whatever it had to open, and however it comes back, no slab is open in user mode:
// not in the process that made it, not in its children, not after a switch between them.
#include <sys/time.h>
#include <sys/wait.h>

#include "hostile.h"

using namespace hostile;

static long open_slabs() {
  constexpr uint64_t places = 8;  // in each slab
  long count = 0;
  for (uint64_t i = 0; i < vmi::attic_slabs_max * places; i += stride(1)) {
    const uint64_t at =
        vmi::attic_slab((uint32_t)(i / places)) + i % places * (vmi::attic_slab_bytes / places);
    if (!read_faults(at + 64) || !write_faults(at + 128)) ++count;
  }
  return count;
}

/// Much for the kernel to keep: many mappings of one page each, many files, many pipes.
struct Crowd {
  static constexpr int pipes = 400;
  const uint64_t mappings;
  char* area;
  int ends[pipes][2];

  explicit Crowd(uint64_t wanted = 4000) : mappings(wanted) {
    area = (char*)mmap(0, mappings * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (uint64_t i = 0; i < mappings; i += 2) mprotect(area + i * page, page, PROT_NONE);
    for (auto& one : ends)
      if (pipe(one) != 0) one[0] = one[1] = -1;
  }
  ~Crowd() {
    munmap(area, mappings * page);
    for (auto& one : ends) {
      close(one[0]);
      close(one[1]);
    }
  }
  /// Makes the kernel look at all of it.
  void use(int step) const {
    mprotect(area + (step % mappings) * page, page, step % 3 == 0 ? PROT_NONE : PROT_READ);
    for (const auto& one : ends) {
      char byte = 'a';
      if (write(one[1], &byte, 1) != 1 || read(one[0], &byte, 1) != 1) return;
    }
  }
};

TEST(no_slab_is_open_after_a_system_call) {
  const Crowd crowd;
  for (int step = 0; step < 5; ++step) {
    crowd.use(step);
    CHECK_EQ(open_slabs(), 0);
  }
}

TEST(nor_after_a_fault) {
  const Crowd crowd;
  long readable = 0;
  for (uint64_t i = 0; i < crowd.mappings; i += 97)
    readable += !read_faults((uint64_t)crowd.area + i * page);
  CHECK_EQ(readable, 21);
  CHECK_EQ(open_slabs(), 0);
}

static volatile long ticks, found_open;
static void on_tick(int) {
  const uint64_t slab = vmi::attic_slab((uint32_t)(ticks % vmi::attic_slabs_max));
  found_open = found_open + !read_faults(slab) + !write_faults(slab + 8);
  ticks = ticks + 1;
}

TEST(nor_when_a_signal_is_delivered) {
  const Crowd crowd;
  signal(SIGUSR1, on_tick);
  for (int step = 0; step < 20; ++step) {
    crowd.use(step);
    raise(SIGUSR1);
  }
  CHECK_EQ(ticks, 20);
  CHECK_EQ(found_open, 0);
  CHECK_EQ(open_slabs(), 0);
}

TEST(nor_after_an_interrupt) {
  const Crowd crowd;
  itimerval timer = {{0, 2000}, {0, 2000}};
  signal(SIGALRM, SIG_IGN);
  CHECK_EQ(setitimer(ITIMER_REAL, &timer, 0), 0);
  for (int step = 0; step < 5; ++step) {
    crowd.use(step);
    CHECK_EQ(open_slabs(), 0);
  }
  timer = {};
  setitimer(ITIMER_REAL, &timer, 0);
}

/// They take turns while each has the kernel open slabs and looks for them.
TEST(nor_in_another_process) {
  const Crowd crowd(400);
  pid_t children[6];
  for (pid_t& child : children) {
    child = fork();
    if (child != 0) continue;
    long open = open_slabs();
    for (int step = 0; step < 3; ++step) {
      crowd.use(step);
      sched_yield();
      open += open_slabs();
    }
    _exit(open != 0);
  }
  CHECK_EQ(open_slabs(), 0);
  for (const pid_t child : children) {
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
    CHECK_EQ(open_slabs(), 0);
  }
}
