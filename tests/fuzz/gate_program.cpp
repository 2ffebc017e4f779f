// The gate fuzzer's guest program: gate_program SEED FIRST COUNT. Jumps to every byte of the gate
// and of the trampolines with every set of flags, attempts FIRST to FIRST + COUNT - 1 of a walk
// over all of them. Attempts are made by children that are nobody, a batch each; whatever they do,
// it may only ever be what a program can do to itself. So after each attempt no byte below what it
// could name has changed; after each batch its parent and a witness are what they were. The rest is
// for the driver to see: what the machine asks of the host, and that it lives. Prints what was
// wrong, then counts.
//
// GATE_TALK=1 says each attempt on stderr before it is made.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate_choices.h"

using namespace gate_fuzz;
using hostile::attempt;

extern "C" {
void gate_mark();
void gate_jump(const Registers*, uint64_t target, bool by_iretq);
void gate_landing();
extern char gate_sites[], gate_sites_end[];
extern Registers gate_landed;
extern uint32_t gate_landed_mxcsr;
}

namespace {

constexpr long batch = 500;
constexpr uint32_t rounds_to_zero = 0x7f80;  // a value of MXCSR

/// Shared by all processes.
struct Shared {
  volatile long at;
  volatile long signals, landings, others;
  volatile bool wrong;
  char what[400];
};
Shared* shared;
Arena arena;
bool has_area, talks;
uint64_t seed;

// -- Where to.

/// Offsets of bytes of the gate that are not filling: everybody may read it.
uint16_t code[hostile::page];
uint64_t code_bytes;

void find_code() {
  constexpr uint8_t filling[] = {0xcc, 0};
  for (uint64_t i = 0; i < hostile::page; ++i) {
    const uint8_t byte = *(volatile uint8_t*)(vmi::gate_base + i);
    if (byte != filling[0] && byte != filling[1]) code[code_bytes++] = (uint16_t)i;
  }
}

/// Of each area so many, used ones before others: a choice must not depend on how many sites were
/// patched in time.
constexpr uint64_t trampolines = 40, trampoline_bytes = 32;
uint64_t trampoline_at[2][trampolines];

void find_trampolines() {
  for (int i = 0; i < 2; ++i) {
    const auto& area = vmi::trampoline_areas[i];
    for (uint64_t n = 0; n < trampolines; ++n)
      trampoline_at[i][n] =
          area.base + n * 397 % (area.bytes / trampoline_bytes) * trampoline_bytes;
    attempt([&] {
      uint64_t found = 0;
      for (uint64_t at = area.base; at < area.base + area.bytes; at += trampoline_bytes)
        if (*(volatile uint8_t*)at != 0xcc && found < trampolines) trampoline_at[i][found++] = at;
    });
  }
}

uint64_t all_targets() {
  return 2 * hostile::page + 2 * trampolines * trampoline_bytes;
}
uint64_t target_of(uint64_t index) {
  if (index < 2 * hostile::page) return vmi::gate_base + index;  // its constants, too
  index -= 2 * hostile::page;
  const uint64_t slot = index / trampoline_bytes;
  return trampoline_at[slot / trampolines][slot % trampolines] + index % trampoline_bytes;
}

uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
  return b == 0 ? a : greatest_common_divisor(b, a % b);
}

/// A walk that meets each of `all` once before any again.
uint64_t walk(uint64_t number, uint64_t all) {
  uint64_t step = (seed * 0x9e3779b97f4a7c15 >> 20) % all | 1;
  while (greatest_common_divisor(step, all) != 1) step += 2;
  return (number % all) * step % all;
}

struct Choice {
  uint64_t target, flags;
};
/// Every second attempt is to the gate's code, which is a small part of all.
Choice choose(uint64_t number) {
  const bool to_code = number % 2 == 0 && code_bytes > 0;
  const uint64_t place = walk(number / 2, (to_code ? code_bytes : all_targets()) * flag_sets);
  const uint64_t index = place / flag_sets;
  uint64_t flags = 0;
  for (uint64_t i = 0; i < 5; ++i)
    if (place % flag_sets & 1 << i) flags |= listed_flags[i];
  return {to_code ? vmi::gate_base + code[index] : target_of(index), flags};
}

// -- One attempt.

void say_wrong(long number, const Choice& choice, const Registers& r, const char* what) {
  if (shared->wrong) return;
  snprintf(shared->what, sizeof shared->what,
           "attempt %ld to %#lx, flags %#lx, rax %#lx rdi %#lx rsi %#lx rdx %#lx rsp %#lx: %s",
           number, choice.target, r.rflags, r.rax, r.rdi, r.rsi, r.rdx, r.rsp, what);
  shared->wrong = true;
}

void talk(long number, const Choice& choice, const Registers& r) {
  if (!talks) return;
  const auto* d = (const ForgedDirect*)(vmi::alt_stack_base + 0xc00);
  char line[400];
  int length = snprintf(
      line, sizeof line,
      "%ld: to %#lx, flags %#lx, rax %#lx rdi %#lx rsi %#lx rdx %#lx rsp %#lx; direct rax "
      "%#lx rdi %#lx rsi %#lx rdx %#lx\n",
      number, choice.target, r.rflags, r.rax, r.rdi, r.rsi, r.rdx, r.rsp, has_area ? d->rax : 0,
      has_area ? d->rdi : 0, has_area ? d->rsi : 0, has_area ? d->rdx : 0);
  if (write(100, line, length) != length) _exit(99);
}

/// Where patched sites come in. (From within a sequence, instructions that nobody wrote may
/// follow.)
bool is_way_in(uint64_t target) {
  return target == vmi::gate_base + 0x200 ||
         (target >= vmi::trampolines_high &&
          target < vmi::trampolines_high + vmi::trampolines_high_bytes &&
          target % trampoline_bytes == 0);
}

/// A system call leaves these alone.
bool kept_registers(const Registers& r) {
  const Registers& l = gate_landed;
  return l.rbx == r.rbx && l.rbp == r.rbp && l.r12 == r.r12 && l.r13 == r.r13 && l.r14 == r.r14 &&
         l.r15 == r.r15 && gate_landed_mxcsr == rounds_to_zero;
}

void try_one(long number) {
  Random random(seed, number);
  const Choice choice = choose(number);
  const Registers r = make_registers(random, arena, choice.flags);
  const bool by_iretq = random.once_in(2);
  arena.refill(random);
  hostile::step_over_traps = !random.once_in(4);
  const int ending = attempt([&] {
    gate_mark();
    if (has_area) forge(random, arena);
    talk(number, choice, r);
    asm volatile("ldmxcsr %0" ::"m"(rounds_to_zero));
    gate_jump(&r, choice.target, by_iretq);
  });
  if (ending == hostile::by_landing) {
    shared->landings = shared->landings + 1;
    if (is_way_in(choice.target) && !kept_registers(r))
      say_wrong(number, choice, r, "registers have changed");
  } else if (ending > 0 && ending < 65) {
    shared->signals = shared->signals + 1;
  } else {
    shared->others = shared->others + 1;
  }
  if (!arena.sound()) {
    say_wrong(number, choice, r, "memory below what it could name has changed");
  }
  arena.refill_canary();
}

/// A call that blocks is given up at the second alarm without progress.
void on_alarm(int) {
  static volatile long seen = -1;
  if (seen == shared->at) load_context(&attempt_context, SIGALRM);
  seen = shared->at;
}

[[noreturn]] void make_batch(long end) {
  for (int fd : {0, 1, 2}) dup2(open("/dev/null", O_RDWR), fd);
  if (setpgid(0, 0) != 0) _exit(98);
  if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(98);
  hostile::arm();
  struct sigaction action = {};
  action.sa_handler = on_alarm;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval often = {{0, 50'000}, {0, 50'000}};
  setitimer(ITIMER_REAL, &often, nullptr);
  for (; shared->at < end; shared->at = shared->at + 1) try_one(shared->at);
  _exit(0);
}

// -- Around the attempts.

/// A process of root's with memory and vector registers of its own: says 'y' while they last.
void be_witness(int questions, int answers) {
  static volatile uint8_t memory[65536];
  for (uint64_t i = 0; i < sizeof memory; ++i) memory[i] = (uint8_t)(i * 11 + 3);
  char byte;
  uint64_t in[2] = {0x1122334455667788, 0x99aabbccddeeff00}, out[2];
  for (;;) {
    long result = SYS_read;
    asm volatile("movdqu %[in], %%xmm7; syscall; movdqu %%xmm7, %[out]"
                 : "+a"(result), [out] "=m"(out)
                 : "D"(questions), "S"(&byte), "d"(1), [in] "m"(in)
                 : "rcx", "r11", "memory", "xmm7");
    if (result != 1) _exit(0);
    bool good = memcmp(in, out, sizeof in) == 0;
    for (uint64_t i = 0; i < sizeof memory; ++i)
      if (memory[i] != (uint8_t)(i * 11 + 3)) good = false;
    if (write(answers, good ? "y" : "n", 1) != 1) _exit(1);
  }
}

struct Witness {
  int questions[2], answers[2];
  void start() {
    if (pipe2(questions, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0) _exit(97);
    if (fork() == 0) {
      close(questions[1]);
      be_witness(questions[0], answers[1]);
    }
    close(questions[0]);
    close(answers[1]);
  }
  /// Guests let anybody kill anybody: one that was killed is replaced, and says nothing.
  [[nodiscard]] bool is_sound() {
    char answer = 0;
    if (write(questions[1], "?", 1) == 1 && read(answers[0], &answer, 1) == 1) return answer == 'y';
    forget();
    start();
    return true;
  }
  /// In a child that attempts things.
  void forget() const {
    close(questions[1]);
    close(answers[0]);
  }
};

/// False: it made no step for a second and was killed.
bool wait_for(pid_t child) {
  long seen = -1;
  for (int idle = 0; idle < 100;) {
    int status;
    if (waitpid(child, &status, WNOHANG) == child) return true;
    usleep(10'000);
    idle = shared->at == seen ? idle + 1 : 0;
    seen = shared->at;
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return false;
}

/// Each site is called until a monitor that patches sites has had time for it.
void wear_in_sites() {
  const int pen = open("/dev/null", O_RDWR);
  static char buffer[4096];
  for (int round = 0; round < 200; ++round) {
    for (char* site = gate_sites; site < gate_sites_end; site += 16) {
      long result;
      asm volatile("xor %%r10d, %%r10d; sub $128, %%rsp; call *%[site]; add $128, %%rsp"
                   : "=a"(result)
                   : [site] "b"(site), "D"((long)pen), "S"(buffer), "d"(0l)
                   : "rcx", "r8", "r9", "r10", "r11", "memory");
    }
    if (round % 20 == 0) usleep(1000);
  }
  close(pen);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  seed = strtoull(argv[1], nullptr, 0);
  const long first = atol(argv[2]), end = first + atol(argv[3]);
  talks = hostile::environment("GATE_TALK", 0) != 0;
  if (talks) dup2(2, 100);
  shared = (Shared*)mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  arena.map(gate_landing);
  hostile::arm();
  attempt([] { arena.mapping_bytes = *(volatile uint64_t*)(vmi::gate_base + hostile::page + 8); });
  has_area = attempt([] { *(volatile char*)(vmi::alt_stack_base + 0x800) = 0; }) == 0;
  attempt(find_code);
  hostile::most_traps = 64;
  wear_in_sites();
  find_trampolines();
  if (mkdir("/tmp/pen", 0777) != 0 || chdir("/tmp/pen") != 0) return 2;
  chmod("/tmp/pen", 0777);
  const int file = open("file", O_RDWR | O_CREAT, 0666);  // a descriptor that attempts may name
  if (write(file, arena.canary, 4096) != 4096) return 2;

  // What attempts send to this process: the guest's kill asks for no permission.
  for (int number = 1; number < 32; ++number)
    if (number != SIGCHLD) signal(number, SIG_IGN);
  hostile::arm();
  Witness witness;
  witness.start();
  long deaths = 0, hangs = 0;
  for (shared->at = first; shared->at < end && !shared->wrong;) {
    const long begun = shared->at, batch_end = begun + batch < end ? begun + batch : end;
    dprintf(2, "at %ld\n", begun);
    const pid_t child = fork();
    if (child < 0) return 3;
    if (child == 0) {
      witness.forget();
      make_batch(batch_end);
    }
    if (!wait_for(child)) ++hangs;
    kill(-child, SIGKILL);  // whatever it has left running
    if (shared->at < batch_end) {
      ++deaths;
      shared->at = shared->at + 1;
    }
    if (!shared->wrong && !(arena.sound() && witness.is_sound())) {
      snprintf(shared->what, sizeof shared->what,
               "attempts %ld to %ld: memory of another process has changed", begun, shared->at);
      shared->wrong = true;
    }
  }
  if (shared->wrong) printf("WRONG: %s\n", shared->what);
  printf("counts: attempts %ld signals %ld landings %ld replays %ld deaths %ld hangs %ld\n",
         shared->at - first, shared->signals, shared->landings, shared->others, deaths, hangs);
  return shared->wrong ? 1 : 0;
}
