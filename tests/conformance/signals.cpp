// Conformance, signals: delivery, masks, restarting, the alternate stack, and what faults tell
// their handler. What a return from a handler restores is in signal_state.cpp.
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "check.h"

static volatile int count, last_signal, last_code;
static volatile pid_t last_pid;
static volatile uintptr_t last_address;
static sigjmp_buf landing;

static void note(int number, siginfo_t* info, void*) {
  ++count;
  last_signal = number;
  last_code = info->si_code;
  last_pid = info->si_pid;
}

static void note_fault(int number, siginfo_t* info, void*) {
  last_signal = number;
  last_code = info->si_code;
  last_address = (uintptr_t)info->si_addr;
  siglongjmp(landing, 1);
}

static void handle(int number, void (*handler)(int, siginfo_t*, void*), int flags = 0) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  REQUIRE(sigaction(number, &action, nullptr) == 0);
}

static void block(int how, int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  REQUIRE(sigprocmask(how, &set, nullptr) == 0);
}

static bool pending(int number) {
  sigset_t set;
  sigpending(&set);
  return sigismember(&set, number) == 1;
}

TEST(a_handler_runs_and_the_program_goes_on) {
  handle(SIGUSR1, note);
  CHECK_EQ(kill(getpid(), SIGUSR1), 0);
  CHECK_EQ(count, 1);
  CHECK_EQ(last_signal, SIGUSR1);
  CHECK_EQ(last_code, SI_USER);
  CHECK_EQ(last_pid, getpid());
  CHECK_EQ(raise(SIGUSR1), 0);
  CHECK_EQ(count, 2);
}

TEST(blocked_signals_wait) {
  handle(SIGUSR1, note);
  block(SIG_BLOCK, SIGUSR1);
  raise(SIGUSR1);
  raise(SIGUSR1);
  CHECK_EQ(count, 0);
  CHECK(pending(SIGUSR1));
  block(SIG_UNBLOCK, SIGUSR1);
  CHECK_EQ(count, 1);  // standard signals do not queue
  CHECK(!pending(SIGUSR1));
}

TEST(a_handler_blocks_its_own_signal_and_its_mask) {
  static volatile bool own, other;
  handle(SIGUSR1, [](int, siginfo_t*, void*) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, nullptr, &now);
    own = sigismember(&now, SIGUSR1);
    other = sigismember(&now, SIGUSR2);
  });
  raise(SIGUSR1);
  CHECK(own && !other);
  struct sigaction action = {};
  sigaction(SIGUSR1, nullptr, &action);
  sigaddset(&action.sa_mask, SIGUSR2);
  action.sa_flags |= SA_NODEFER;
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
  CHECK(!own && other);
  sigset_t now;
  sigprocmask(SIG_BLOCK, nullptr, &now);
  CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
}

TEST(handlers_nest) {
  handle(SIGUSR2, note);
  handle(SIGUSR1, [](int, siginfo_t*, void*) {
    raise(SIGUSR2);
    if (count == 1) count = 10;
  });
  raise(SIGUSR1);
  CHECK_EQ(count, 10);
}

TEST(one_shot_handlers) {
  handle(SIGUSR1, note, SA_RESETHAND);
  raise(SIGUSR1);
  struct sigaction action;
  sigaction(SIGUSR1, nullptr, &action);
  CHECK(action.sa_handler == SIG_DFL);
}

TEST(ignored_and_default_actions) {
  signal(SIGTERM, SIG_IGN);
  raise(SIGTERM);
  raise(SIGCHLD);  // ignored by default
  raise(SIGWINCH);
  raise(SIGURG);
  raise(SIGCONT);
  CHECK_ERRNO(kill(getpid(), 65), EINVAL);
  CHECK_ERRNO(kill(999999, SIGTERM), ESRCH);
  struct sigaction action = {};
  action.sa_handler = SIG_IGN;
  CHECK_ERRNO(sigaction(SIGKILL, &action, nullptr), EINVAL);
  CHECK_ERRNO(sigaction(SIGSTOP, &action, nullptr), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &action.sa_mask, nullptr, 4), EINVAL);
  sigset_t all;
  sigfillset(&all);
  CHECK_EQ(sigprocmask(SIG_SETMASK, &all, nullptr), 0);
  CHECK_KILLED(check::in_child([] { return raise(SIGKILL); }), SIGKILL);  // cannot be blocked
}

constexpr int many = 1'000'000;

/// Signals its parent again and again, so one comes after a call began, whenever that is.
static pid_t start_signalling(int times, int then_write_to) {
  pid_t parent = getpid();
  return check::start_child([=] {
    for (int i = 0; i < times; ++i) {
      usleep(20'000);
      if (kill(parent, SIGUSR1) != 0) return 1;
    }
    return write(then_write_to, "x", 1) == 1 ? 0 : 1;
  });
}

static void end(pid_t child) {
  kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

static int interrupted_read(int flags) {
  handle(SIGUSR1, note, flags);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = start_signalling(flags & SA_RESTART ? 3 : many, ends[1]);
  char byte;
  errno = 0;
  int result = (int)read(ends[0], &byte, 1);
  int error = errno;
  CHECK(count > 0);
  end(child);
  return result < 0 ? -error : result;
}

TEST(system_calls_restart_when_asked) {
  CHECK_EQ(interrupted_read(SA_RESTART), 1);
}
TEST(system_calls_are_interrupted_otherwise) {
  CHECK_EQ(interrupted_read(0), -EINTR);
}

TEST(sleep_and_pause_are_interrupted) {
  handle(SIGUSR1, note, SA_RESTART);
  timespec long_time = {50, 0}, rest = {};
  pid_t child = start_signalling(many, -1);
  CHECK_ERRNO(nanosleep(&long_time, &rest), EINTR);
  CHECK(rest.tv_sec >= 20 && rest.tv_sec < 50);
  CHECK_ERRNO(pause(), EINTR);
  CHECK(count >= 2);
  end(child);
}

TEST(sigsuspend_waits_with_another_mask) {
  handle(SIGUSR1, note);
  block(SIG_BLOCK, SIGUSR1);
  raise(SIGUSR1);
  CHECK_EQ(count, 0);
  sigset_t none;
  sigemptyset(&none);
  CHECK_ERRNO(sigsuspend(&none), EINTR);
  CHECK_EQ(count, 1);
  sigset_t now;
  sigprocmask(SIG_BLOCK, nullptr, &now);
  CHECK(sigismember(&now, SIGUSR1));
}

TEST(children_announce_their_death) {
  handle(SIGCHLD, note, SA_RESTART);
  pid_t child = check::start_child([] { return 3; });
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(count, 1);
  CHECK_EQ(last_code, CLD_EXITED);
  CHECK_EQ(last_pid, child);
  child = check::start_child([] { return raise(SIGKILL); });
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(last_code, CLD_KILLED);
}

TEST(ignored_children_leave_no_zombies) {
  signal(SIGCHLD, SIG_IGN);
  check::start_child([] { return 3; });
  CHECK_ERRNO(wait(nullptr), ECHILD);  // waits until it is gone, then there is none
}

TEST(signals_to_groups) {
  pid_t leader = check::start_child([] {
    setpgid(0, 0);
    pid_t member = check::start_child([] { return (int)sleep(50); });
    usleep(10000);
    signal(SIGTERM, SIG_IGN);
    CHECK_EQ(kill(0, SIGTERM), 0);
    int status = 0;
    waitpid(member, &status, 0);
    CHECK_KILLED(status, SIGTERM);
    return 0;
  });
  int status;
  CHECK_EQ(waitpid(leader, &status, 0), leader);
  CHECK_EXITED(status, 0);
}

TEST(alternate_stack) {
  static char stack[65536];
  stack_t mine = {stack, 0, sizeof stack}, old;
  CHECK_EQ(sigaltstack(&mine, &old), 0);
  CHECK_EQ(old.ss_flags, SS_DISABLE);
  static volatile uintptr_t where;
  static volatile int flags, refused;
  handle(
      SIGUSR1,
      [](int, siginfo_t*, void*) {
        int local;
        stack_t now;
        where = (uintptr_t)&local;
        sigaltstack(nullptr, &now);
        flags = now.ss_flags;
        now.ss_flags = 0;
        refused = sigaltstack(&now, nullptr) < 0 ? errno : 0;
      },
      SA_ONSTACK);
  raise(SIGUSR1);
  CHECK(where >= (uintptr_t)stack && where < (uintptr_t)stack + sizeof stack);
  CHECK_EQ(flags, SS_ONSTACK);
  CHECK_EQ(refused, EPERM);
  CHECK_EQ(sigaltstack(nullptr, &old), 0);
  CHECK_EQ(old.ss_flags, 0);
  stack_t tiny = {stack, 0, 64};
  CHECK_ERRNO(sigaltstack(&tiny, nullptr), ENOMEM);
}

TEST(overflowing_the_stack_reaches_the_alternate_stack) {
  static char stack[65536];
  stack_t mine = {stack, 0, sizeof stack};
  sigaltstack(&mine, nullptr);
  handle(SIGSEGV, note_fault, SA_ONSTACK);
  if (sigsetjmp(landing, 1) == 0) {
    asm volatile("mov %%rsp, %%rbx\n mov $0x10, %%esp\n push %%rax\n mov %%rbx, %%rsp" ::: "rbx");
  }
  CHECK_EQ(last_signal, SIGSEGV);
  CHECK_EQ(last_address, 8);
  CHECK_KILLED(check::in_child([] {  // and without one, the process dies
                 stack_t none = {nullptr, SS_DISABLE, 0};
                 sigaltstack(&none, nullptr);
                 asm volatile("mov $0x10, %%esp\n push %%rax" ::: "memory");
                 return 0;
               }),
               SIGSEGV);
}

TEST(what_faults_say) {
  for (int number : {SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS}) handle(number, note_fault);
  if (sigsetjmp(landing, 1) == 0) *(volatile char*)0x1234 = 0;
  CHECK(last_signal == SIGSEGV && last_code == SEGV_MAPERR && last_address == 0x1234);
  if (sigsetjmp(landing, 1) == 0) (void)*(volatile char*)0x8000000000000000;
  CHECK(last_signal == SIGSEGV && last_code == SI_KERNEL && last_address == 0);
  volatile int zero = 0;
  if (sigsetjmp(landing, 1) == 0) {
    volatile int result = 1;
    asm volatile("idivl %1" : : "a"(1), "r"(zero), "d"(0) : "cc");
    (void)result;
  }
  CHECK(last_signal == SIGFPE && last_code == FPE_INTDIV);
  if (sigsetjmp(landing, 1) == 0) asm volatile("ud2");
  CHECK(last_signal == SIGILL && last_code == ILL_ILLOPN);
  if (sigsetjmp(landing, 1) == 0) asm volatile("int3");
  CHECK(last_signal == SIGTRAP);
  if (sigsetjmp(landing, 1) == 0) asm volatile("hlt");
  CHECK(last_signal == SIGSEGV && last_code == SI_KERNEL);
  if (sigsetjmp(landing, 1) == 0) {
    asm volatile("pushfq\n orq $0x40000, (%%rsp)\n popfq\n movl 1(%%rsp), %%eax" ::: "rax", "cc");
  }
  asm volatile("pushfq\n andq $~0x40000, (%%rsp)\n popfq" ::: "cc");
  CHECK(last_signal == SIGBUS && last_code == BUS_ADRALN);
}

TEST(blocked_or_ignored_faults_kill) {
  CHECK_KILLED(check::in_child([] {
                 block(SIG_BLOCK, SIGSEGV);
                 *(volatile int*)8 = 1;
                 return 0;
               }),
               SIGSEGV);
  CHECK_KILLED(check::in_child([] {
                 signal(SIGILL, SIG_IGN);
                 asm volatile("ud2");
                 return 0;
               }),
               SIGILL);
}

TEST(a_fault_can_be_repaired) {
  static char* area;
  area = (char*)mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  handle(SIGSEGV, [](int, siginfo_t*, void*) {
    ++count;
    mprotect(area, 4096, PROT_READ | PROT_WRITE);
  });
  *(volatile char*)area = 5;  // the instruction runs again
  CHECK_EQ(area[0], 5);
  CHECK_EQ(count, 1);
}

TEST(alarm_comes) {
  handle(SIGALRM, note);
  block(SIG_BLOCK, SIGALRM);
  CHECK(alarm(100) <= 30);  // the frame's own alarm was set
  CHECK(alarm(1) > 60);
  sigset_t none;
  sigemptyset(&none);
  CHECK_ERRNO(sigsuspend(&none), EINTR);
  CHECK_EQ(count, 1);
}
