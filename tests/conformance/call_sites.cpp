// System calls from one place again and again, with everything a program may notice about a call:
// registers, flags, vectors, the red zone, signals in between; and code that changes under calls.
// A monitor may rewrite such a place; the program must not be able to tell, unless it reads it.
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "call_sites.h"
#include "check.h"
#include "code_files.h"

// -- What a call leaves alone.

static constexpr uint64_t all_flags = 0x240cd5;  // CF PF AF ZF SF DF OF AC ID
static const int unchanged[] = {2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15};

/// A site with everything it must keep, the call's result, and what it does to flags before.
struct FullSite {
  void (*call)();
  const char* returned;
  long wanted;
  uint64_t flags_cleared, flags_set, flags_undefined;
};
static FullSite getppid_site() {
  return {full_call, full_call_return, getppid(), 0, 0, 0};
}
/// Of a descriptor that is none. `xor` clears CF, SF and OF, and sets PF and ZF.
static constexpr FullSite read_site = {full_read, full_read_return, -EBADF, 0x881, 0x44, 0x10};

/// One call with everything different from the one before. False: something was not kept.
static bool keeps_everything(const FullSite& site, uint64_t seed) {
  for (int i = 0; i < 16; ++i) calls.in[i] = (seed + i) * 0x9e3779b97f4a7c15;
  for (int i = 0; i < 32; ++i) calls.vectors_in[i] = (seed + i) * 0xbf58476d1ce4e5b9;
  calls.in[7] |= 0x8000'0000;  // rdi: no descriptor
  calls.flags_in = (calls.in[0] & all_flags) | 2;
  site.call();
  bool good = (long)calls.out[0] == site.wanted && calls.out[1] == (uint64_t)site.returned &&
              calls.out[4] == calls.saved_rsp;
  for (int i : unchanged) good = good && calls.out[i] == calls.in[i];
  const uint64_t flags = (calls.flags_in & ~site.flags_cleared) | site.flags_set | 0x202;
  good = good && ((calls.out[11] ^ flags) & ~site.flags_undefined) == 0 &&
         calls.flags_out == calls.out[11];
  for (int i : {0, 1, 2, 3, 14, 15, 30, 31})
    good = good && calls.vectors_out[i] == calls.vectors_in[i];
  for (uint64_t i = 0; i < 16; ++i) good = good && calls.red_zone_out[i] == 0x5a0000 + i;
  return good;
}

TEST(a_call_changes_rax_rcx_and_r11) {
  for (int i = 0; i < times; ++i) REQUIRE(keeps_everything(getppid_site(), i));
  for (int i = 0; i < times; ++i) REQUIRE(keeps_everything(read_site, i));
}

TEST(sites_too_short_for_a_jump) {
  int fd = open("/dev/zero", O_RDONLY);
  unsigned char to[2];
  for (int i = 0; i < times; ++i) {
    to[0] = to[1] = 1;
    REQUIRE(short_site(fd, to, 1) == 1 && to[0] == 0 && to[1] == 1);
    REQUIRE(short_site(-1, to, 1) == -EBADF);
    REQUIRE(enter_short(SYS_getpid) == getpid());
    REQUIRE(twin_sites(fd, to, 2) == 2);
  }
}

TEST(whatever_number_it_has) {
  // Bits above the lowest 32 do not count; and what there is no call for fails.
  REQUIRE(returns(bare_site, getppid()));
  CHECK_EQ(enter_bare(0x7'0000'006e), getppid());
  CHECK_EQ(enter_bare(100'000), -ENOSYS);
  CHECK_EQ(enter_bare(-1), -ENOSYS);
}

TEST(a_jump_to_the_instruction_itself) {
  const long self = getpid(), parent = getppid();
  for (int i = 0; i < times; ++i) {
    REQUIRE(bare_site() == parent);
    REQUIRE(enter_bare(SYS_getpid) == self);
    REQUIRE(enter_bare(SYS_getppid) == parent);
  }
}

// -- Signals in between.

static volatile long signals_seen, strange_places;

/// Programs are linked to low memory, and nothing of theirs lies beyond the stack.
static void on_storm(int, siginfo_t*, void* raw) {
  const auto at = (uint64_t)((ucontext_t*)raw)->uc_mcontext.gregs[REG_RIP];
  signals_seen = signals_seen + 1;
  if (at < 0x400000 || at >= 0x7fffff000000) strange_places = strange_places + 1;
}

TEST(in_a_storm_of_signals) {
  struct sigaction action = {};
  action.sa_sigaction = on_storm;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  const pid_t child = check::start_child([] {
    for (int i = 0; i < 10; ++i) {
      kill(getppid(), SIGUSR1);
      usleep(500);
    }
    return 0;
  });
  int status = -1;
  for (uint64_t i = 0; waitpid(child, &status, WNOHANG) != child; ++i)
    for (int j = 0; j < 20; ++j)
      REQUIRE(keeps_everything(j % 2 ? read_site : getppid_site(), i * 20 + j));
  CHECK_EXITED(status, 0);
  CHECK(signals_seen > 0);
  CHECK_EQ(strange_places, 0);
}

TEST(in_a_storm_of_timers) {
  struct sigaction action = {};
  action.sa_sigaction = on_storm;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGPROF, &action, nullptr);
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGPROF;
  timer_t timer;
  REQUIRE(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  const itimerspec often = {{0, 1'000'000}, {0, 1'000'000}};
  REQUIRE(timer_settime(timer, 0, &often, nullptr) == 0);
  for (uint64_t i = 0; signals_seen < 5; ++i)
    REQUIRE(keeps_everything(i % 2 ? read_site : getppid_site(), i));
  timer_delete(timer);
  CHECK_EQ(strange_places, 0);
}

static uint64_t steps[64];
static long step_numbers[64];
static volatile int step_count;

static void on_step(int, siginfo_t*, void* raw) {
  const auto& registers = ((ucontext_t*)raw)->uc_mcontext.gregs;
  if (step_count == 64) return;
  steps[step_count] = (uint64_t)registers[REG_RIP];
  step_numbers[step_count] = registers[REG_RAX];
  step_count = step_count + 1;
}

/// Steps through a call: the instruction that loads the number, the call itself, what is behind it.
static void step_through(long (*stepped)(), uint64_t site, uint64_t call, uint64_t end, long number,
                         long result) {
  for (int i = 0; i < times; ++i) {
    step_count = 0;
    REQUIRE(stepped() == result);
    int at_site = -1, at_call = -1, behind = -1;
    for (int j = 0; j < step_count; ++j) {
      // A monitor that rewrites the place may go through it twice while it does.
      if (steps[j] == site && at_site < 0) at_site = j;
      if (steps[j] == call && at_call < 0) at_call = j;
      if (steps[j] == end && behind < 0) behind = j;
      const auto code = (uint64_t)full_call;
      REQUIRE(steps[j] >= code && steps[j] < code + 4096);
    }
    REQUIRE(at_site >= 0 && at_call == at_site + 1);
    REQUIRE(step_numbers[at_call] == number);
    REQUIRE(behind < 0 || step_numbers[behind] == result);
  }
}

TEST(step_by_step) {
  struct sigaction action = {};
  action.sa_sigaction = on_step;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGTRAP, &action, nullptr);
  step_through(stepped_bare, (uint64_t)bare_site, (uint64_t)bare_syscall, (uint64_t)bare_end,
               SYS_getppid, getppid());
  step_through([] { return stepped_short(-1, nullptr, 0); }, (uint64_t)short_site,
               (uint64_t)short_syscall, (uint64_t)short_end, SYS_read, -EBADF);
}

// -- Processes.

TEST(forks_have_the_same_code) {
  REQUIRE(returns(bare_site, getppid()));
  const long self = getpid();
  for (int i = 0; i < 10; ++i) {
    CHECK_EXITED(check::in_child([&] { return returns(bare_site, self) ? 0 : 1; }), 0);
    REQUIRE(returns(bare_site, getppid()));
  }
}

TEST(vfork_children_run_it_too) {
  const long self = getpid();
  for (int i = 0; i < 10; ++i) {
    const pid_t child = vfork();
    if (child == 0) _exit(returns(bare_site, self) ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_EXITED(status, 0);
    REQUIRE(returns(bare_site, getppid()));
  }
}

// -- Code that changes.

static void set_number(const char* at, int number) {
  const auto page = (uint64_t)at & ~4095ul;
  REQUIRE(mprotect((void*)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
  unsigned char mov[5] = {0xb8};
  memcpy(mov + 1, &number, sizeof number);
  memcpy((void*)(at - 1), mov, sizeof mov);
  REQUIRE(mprotect((void*)page, 8192, PROT_READ | PROT_EXEC) == 0);
}

TEST(a_program_that_rewrites_its_own) {
  const long self = getpid(), parent = getppid();
  REQUIRE(returns(marked_site, parent));
  set_number(marked_number, SYS_getpid);
  REQUIRE(returns(marked_site, self));
  CHECK_EXITED(check::in_child([&] { return returns(marked_site, getpid()) ? 0 : 1; }), 0);
  CHECK_EXITED(check::in_child([&] {
                 set_number(marked_number, SYS_getppid);
                 return returns(marked_site, self) ? 0 : 1;
               }),
               0);
  REQUIRE(returns(marked_site, self));
}

TEST(other_code_at_the_same_place) {
  int parents = code_file("/tmp/call_sites_1", SYS_getppid);
  int selves = code_file("/tmp/call_sites_2", SYS_getpid);
  for (uint64_t at : {low, high}) {
    for (int i = 0; i < 4; ++i) {
      REQUIRE(returns(map_code(parents, at, MAP_PRIVATE), getppid()));
      if (i & 1) munmap((void*)at, 4096);
      REQUIRE(returns(map_code(selves, at, MAP_PRIVATE), getpid()));
    }
  }
  unlink("/tmp/call_sites_1");
  unlink("/tmp/call_sites_2");
}

TEST(the_same_code_at_other_places) {
  int fd = code_file("/tmp/call_sites_3", SYS_getppid);
  for (uint64_t i = 0; i < 40; ++i)
    for (uint64_t at : {low, high}) {
      auto site = map_code(fd, at + i * 8192, MAP_PRIVATE);
      REQUIRE(site() == getppid() && site() == getppid() && site() == getppid());
    }
  for (uint64_t i = 0; i < 40; ++i) REQUIRE(((long (*)())(low + i * 8192))() == getppid());
  // The file itself is what it was.
  char bytes[64];
  REQUIRE(pread(fd, bytes, sizeof bytes, 0) == sizeof bytes);
  CHECK_EQ(memcmp(bytes, copied_begin, copied_end - copied_begin), 0);
  unlink("/tmp/call_sites_3");
}

TEST(a_file_of_code_is_written) {
  int fd = code_file("/tmp/call_sites_4", SYS_getppid);
  REQUIRE(returns(map_code(fd, low, MAP_PRIVATE), getppid()));
  munmap((void*)low, 4096);
  close(code_file("/tmp/call_sites_4", SYS_getpid));
  REQUIRE(returns(map_code(fd, low, MAP_PRIVATE), getpid()));
  auto shared = map_code(fd, high, MAP_SHARED);
  REQUIRE(returns(shared, getpid()));
  close(code_file("/tmp/call_sites_4", SYS_getppid));
  REQUIRE(returns(shared, getppid()));
  unlink("/tmp/call_sites_4");
}

/// Does the marked site give the parent's pid (10) or its own (11)?
int helper(int, char**) {
  if (returns(marked_site, getppid())) return 10;
  return returns(marked_site, getpid()) ? 11 : 12;
}

static int run_program(const char* path) {
  return check::in_child([&] {
    execl(path, path, "--helper", nullptr);
    return 13;
  });
}

TEST(a_program_file_is_written_in_place) {
  static char program[4 << 20];
  int from = open(check::self_path, O_RDONLY);
  const long bytes = read(from, program, sizeof program);
  REQUIRE(bytes > 0 && bytes < (long)sizeof program);
  const unsigned char mark[] = {0xb9, 0xde, 0xc0, 0x57, 0x7e, 0xb8};
  auto* found = (char*)memmem(program, bytes, mark, sizeof mark);
  REQUIRE(found != nullptr);
  const char* path = "/tmp/call_sites_5";
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0700);
  REQUIRE(write(fd, program, bytes) == bytes);
  close(fd);
  for (int i = 0; i < 3; ++i) {
    CHECK_EXITED(run_program(path), 10);
    CHECK_EXITED(run_program(path), 10);
    for (char number : {(char)SYS_getpid, (char)SYS_getppid}) {
      fd = open(path, O_RDWR);
      REQUIRE(pwrite(fd, &number, 1, found + sizeof mark - program) == 1);
      close(fd);
      CHECK_EXITED(run_program(path), number == SYS_getpid ? 11 : 10);
    }
  }
  unlink(path);
}

/// Many places that call once, then one that calls often.
TEST(places_that_call_once) {
  static char page[4096] __attribute__((aligned(4096)));
  int fd = open("/tmp/call_sites_6", O_RDWR | O_CREAT | O_TRUNC, 0700);
  const long size = copied_end - copied_begin;
  for (long i = 0; i < 64; ++i) memcpy(page + i * 64, copied_begin, size);
  REQUIRE(write(fd, page, sizeof page) == sizeof page);
  map_code(fd, low, MAP_PRIVATE);
  for (uint64_t i = 0; i < 64; ++i) REQUIRE(((long (*)())(low + i * 64))() == getppid());
  REQUIRE(returns(bare_site, getppid()));
  unlink("/tmp/call_sites_6");
}
