// Hostile: everything a program can do to its own signals, to keep the host's from working: all
// blocked, all ignored, handlers and signal stacks that lead into the monitor, handlers that are no
// code at all. The host must get its ticks, faults must kill, and the guest goes on.
#include "hostile.h"

using namespace hostile;

static void block_all() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
}

TEST(a_busy_loop_with_all_signals_blocked_yields) {
  pid_t child = check::start_child([] {
    block_all();
    for (;;) asm volatile("");
    return 0;
  });
  usleep(60000);  // this sleep ends although the child never calls the kernel
  CHECK_EQ(kill(child, SIGKILL), 0);
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_KILLED(status, SIGKILL);
}

TEST(system_calls_work_with_all_signals_blocked) {
  CHECK_EXITED(check::in_child([] {
                 block_all();
                 for (int i = 0; i < 100; ++i) {
                   if (syscall(SYS_getppid) != getppid()) return 1;
                 }
                 char* p = (char*)mmap(nullptr, 64 * page, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                 memset(p, 1, 64 * page);  // nor do page faults mind
                 return sound(true) ? 0 : 2;
               }),
               0);
}

TEST(blocked_and_ignored_faults_kill) {
  auto fault_in_child = [](auto prepare, auto fault) {
    return check::in_child([&] {
      for (int number : {SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS}) signal(number, SIG_DFL);
      prepare();
      fault();
      return 0;
    });
  };
  auto ignore_all = [] {
    for (int number = 1; number < 65; ++number) signal(number, SIG_IGN);
  };
  auto segv = [] { *(volatile int*)16 = 1; };
  auto ill = [] { asm volatile("ud2"); };
  auto trap = [] { asm volatile("int3"); };
  auto fpe = [] { asm volatile("div %%ebx" ::"a"(1), "b"(0), "d"(0)); };
  CHECK_KILLED(fault_in_child(block_all, segv), SIGSEGV);
  CHECK_KILLED(fault_in_child(block_all, ill), SIGILL);
  CHECK_KILLED(fault_in_child(block_all, trap), SIGTRAP);
  CHECK_KILLED(fault_in_child(block_all, fpe), SIGFPE);
  CHECK_KILLED(fault_in_child(ignore_all, segv), SIGSEGV);
  CHECK_KILLED(fault_in_child(ignore_all, ill), SIGILL);
  CHECK_KILLED(fault_in_child(ignore_all, trap), SIGTRAP);
  CHECK_KILLED(fault_in_child(ignore_all, fpe), SIGFPE);
}

TEST(signal_stacks_inside_the_monitor) {
  for (uint64_t base :
       {vmi::gate_base, vmi::alt_stack_base, vmi::window_base, vmi::window_base + 0x40000,
        vmi::ram_base, vmi::user_end - 0x1000, vmi::user_end, 0xffff888000000000ul}) {
    int status = check::in_child([&] {
      stack_t stack = {(void*)base, 0, 65536};
      sigaltstack(&stack, nullptr);  // Linux believes any address, until it is used
      if (syscall(SYS_getppid) != getppid()) return 1;
      *(volatile int*)16 = 1;  // the handler has SA_ONSTACK
      return 2;
    });
    CHECK_KILLED(status, SIGSEGV);
    CHECK(sound(true));
  }
}

TEST(handlers_inside_the_monitor) {
  for (uint64_t handler :
       {vmi::gate_base, vmi::gate_base + 0x100, vmi::gate_base + 14, vmi::window_base + 0x10000,
        vmi::alt_stack_base, 0x8000000000000000ul, 0xffff888000000000ul, 8ul}) {
    int status = check::in_child([&] {
      struct sigaction action = {};
      action.sa_sigaction = (void (*)(int, siginfo_t*, void*))handler;
      action.sa_flags = SA_SIGINFO | SA_RESETHAND;
      sigaction(SIGUSR1, &action, nullptr);
      for (int number : {SIGSEGV, SIGILL, SIGBUS, SIGTRAP}) signal(number, SIG_DFL);
      alarm(2);
      raise(SIGUSR1);
      return 0;
    });
    CHECK(WIFSIGNALED(status) || (WIFEXITED(status) && handler < 0x8000000000000000));
    CHECK(sound(true));
  }
}

TEST(restorers_inside_the_monitor) {
  struct {
    void (*handler)(int);
    unsigned long flags;
    uint64_t restorer;
    uint64_t mask;
  } action = {[](int) {}, 0x04000000 /* SA_RESTORER */, 0, 0};
  for (uint64_t restorer : {vmi::gate_base, vmi::gate_base + 0x100, vmi::window_base + 0x10000,
                            0x8000000000000000ul, 16ul}) {
    int status = check::in_child([&] {
      for (int number : {SIGSEGV, SIGILL, SIGBUS, SIGTRAP}) signal(number, SIG_DFL);
      action.restorer = restorer;
      syscall(SYS_rt_sigaction, SIGUSR1, &action, nullptr, 8);
      alarm(2);
      raise(SIGUSR1);
      return 0;
    });
    CHECK(WIFSIGNALED(status) || WIFEXITED(status));
    CHECK(sound(true));
  }
}

TEST(the_hosts_signals_are_not_the_guests) {
  // SIGSYS, SIGUSR1, SIGPROF, SIGVTALRM may be the monitor's tools; a guest's are its own.
  static volatile int count;
  for (int number : {SIGSYS, SIGUSR1, SIGUSR2, SIGPROF, SIGVTALRM, SIGALRM, SIGIO, SIGTRAP, SIGSEGV,
                     34, 50, 64}) {
    count = 0;
    signal(number, [](int) { count = count + 1; });
    CHECK_EQ(raise(number), 0);
    CHECK_EQ(count, 1);
    signal(number, SIG_DFL);
    CHECK_KILLED(check::in_child([&] { return raise(number); }), number);
  }
  arm();
}

TEST(a_storm_of_signals) {
  static volatile int count;
  signal(SIGUSR1, [](int) { count = count + 1; });
  pid_t parent = getpid();
  pid_t child = check::start_child([&] {
    for (int i = 0; i < 300; ++i) kill(parent, SIGUSR1);
    return 0;
  });
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  CHECK_EXITED(status, 0);
  CHECK(count > 0);
  CHECK(sound(true));
}

TEST(recursive_faults_end) {
  // A handler that faults without end, until its stack is used up: then the process is killed.
  int status = check::in_child([] {
    struct sigaction action = {};
    action.sa_handler = [](int) { *(volatile int*)16 = 1; };
    action.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &action, nullptr);
    *(volatile int*)16 = 1;
    return 0;
  });
  CHECK_KILLED(status, SIGSEGV);
  CHECK(sound(true));
}
