// The system-call fuzzer's guest program: `syscall --helper SEED EPISODE SECONDS`. The first
// process makes no random call; it starts a worker for each episode, which makes some thousands,
// with its children. Then everything that is left is killed and removed, and the machine must
// answer as it did before: a program runs, a file keeps what was written, this process's memory is
// what it was, and the episodes together use up no memory. The driver is syscall_fuzz.cpp. Not for
// use without a guest: it does to the machine what it can.
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>

#include "../hostile/hostile.h"
#include "kept.h"
#include "system_calls.h"

// Every number at a site of its own, as programs have them (`mov $n, %eax; syscall`), and one
// for any number. raw_call goes to a site with the call's registers; a child that shares the stack
// with its parent leaves at once, or goes on elsewhere: see made_in_shared_memory.
asm(R"(
    .text
    .balign 4096
call_sites:
    .set site, 0
    .rept 461
    mov $site, %eax
    syscall
    ret
    .set site, site + 1
    .endr
any_site:
    syscall
    ret
foreign_site:
    int $0x80
    ret
raw_call:
    push %rbx
    push %rbp
    push %r12
    mov %rdi, %rbx
    mov %rsi, %rax
    mov %rdx, %rbp
    mov %rcx, %r12
    mov 0(%rbp), %rdi
    mov 8(%rbp), %rsi
    mov 16(%rbp), %rdx
    mov 24(%rbp), %r10
    mov 32(%rbp), %r8
    mov 40(%rbp), %r9
    call *%rbx
    test %r12, %r12
    jz 1f
    test %rax, %rax
    jnz 1f
    mov %r12, %rsp
    call go_on_elsewhere
1:  pop %r12
    pop %rbp
    pop %rbx
    ret
)");

extern "C" {
extern char call_sites[], any_site[], foreign_site[];
long raw_call(const void* site, uint64_t number, const uint64_t* arguments, void* other_stack);
}

namespace {

using fuzz::Call, fuzz::Choices, fuzz::Kept;

constexpr int calls_an_episode = 2500;
constexpr long leak_tolerance = 1 << 20;

struct Tally {
  uint32_t made, ok, efault, einval, enosys, other;
};
struct Shared {
  volatile long progress;
  Tally tallies[fuzz::highest_number + 2];  // the last one: all that is higher
};
Shared* shared;
Choices* choices;
int calls_left;
/// Where nothing protects the kernel, a program must not write there by itself; its calls may try.
bool unprotected;
char child_stack[65536] __attribute__((aligned(64)));

bool may_touch(uint64_t address) {
  return !unprotected || vmi::is_user_range(address, 64 << 10);
}

class Around final : public fuzz::Surroundings {
 public:
  Around() {
    handler = (uint64_t) + [](int) {};
    restorer = (uint64_t)&call_sites[15 * 8];  // rt_sigreturn
  }
  void store(uint64_t address, const void* bytes, size_t count) override {
    if (may_touch(address)) hostile::attempt([&] { memcpy((void*)address, bytes, count); });
  }
  uint64_t some_pid(Choices& c) override {
    const uint64_t self = getpid();
    const uint64_t pids[] = {
        0, self, self, self + 1, self - 1 > fuzz::first_pid ? self - 1 : self, 32767};
    return c.of(pids);
  }
} around;

void count(uint64_t number, long result) {
  Tally& tally =
      shared->tallies[number <= fuzz::highest_number ? number : fuzz::highest_number + 1];
  __atomic_fetch_add(&tally.made, 1, __ATOMIC_RELAXED);
  uint32_t& how = result >= 0 || result < -4095 ? tally.ok
                  : result == -EFAULT           ? tally.efault
                  : result == -EINVAL           ? tally.einval
                  : result == -ENOSYS           ? tally.enosys
                                                : tally.other;
  __atomic_fetch_add(&how, 1, __ATOMIC_RELAXED);
}

void restore();

/// The first process is nobody's target: its death would be the machine's end, as on any machine.
void spare_first_process(Call& call) {
  for (uint64_t number : {62, 129, 200, 302, 141, 203})
    if (call.number == number && fuzz::reaches_first((int)call.arguments[call.number == 141]))
      call.arguments[call.number == 141] = 0;
  if (call.number == 234 && (int)call.arguments[1] == fuzz::first_pid) call.arguments[1] = 0;
}

bool is_clone(uint64_t number) {
  return (number >= 56 && number <= 58) || number == 435;
}

/// Its child would return on its parent's stack.
bool made_in_shared_memory(const Call& call) {
  constexpr uint64_t clone_vm = 0x100;
  return call.number == 58 || call.number == 435 ||
         (call.number == 56 && call.arguments[0] & clone_vm);
}

/// Without handlers, or with everything blocked, a worker does not last.
bool disarms(uint64_t number) {
  for (uint64_t one : {13, 14, 15, 37, 38, 131})
    if (number == one) return true;
  return false;
}

long make(Call call) {
  spare_first_process(call);
  if (fuzz::may_block(call.number) && !choices->one_in(6)) return 0;
  if (is_clone(call.number)) {
    if (calls_left < 20 || choices->one_in(2)) return 0;
    calls_left /= 2;
  }
  const bool known = call.number <= fuzz::highest_number && !choices->one_in(4);
  const void* site = known ? &call_sites[call.number * 8] : any_site;
  shared->progress = shared->progress + 1;
  long result = raw_call(site, call.number, call.arguments,
                         made_in_shared_memory(call) ? child_stack + sizeof child_stack : nullptr);
  count(call.number, result);
  if (is_clone(call.number) && result == 0) *choices = Choices(choices->next() + getpid());
  if (disarms(call.number) && !choices->one_in(8)) restore();
  return result;
}

/// Reads and writes as a program does, with faults to serve or to survive.
void touch() {
  Choices& c = *choices;
  uint64_t at = c.one_in(2) ? fuzz::churn + c.below(fuzz::churn_pages * 4096)
                            : fuzz::arena + c.below(fuzz::arena_pages * 4096);
  if (c.one_in(32)) at = fuzz::hostile_number(c);
  if (c.one_in(2)) at = fuzz::churn + c.below(fuzz::churn_pages / 8 * 4096);
  if (!may_touch(at)) return;
  auto* byte = (volatile uint8_t*)at;
  for (uint64_t pages = c.below(8); pages > 0; --pages, byte += 4096) {
    if (c.one_in(2)) (void)*byte;
    if (c.one_in(2)) *byte = (uint8_t)c.next();
  }
}

void step() {
  Choices& c = *choices;
  if (c.one_in(12)) return touch();
  Call call = fuzz::random_call(c, around);
  if (c.one_in(64)) {
    raw_call(foreign_site, call.number, call.arguments, nullptr);
  } else if (c.one_in(128)) {
    const void* vsyscall = (const void*)(0xffffffffff600000 + 0x400 * c.below(3));
    raw_call(vsyscall, 0, call.arguments, nullptr);
  } else if (c.one_in(400) && calls_left > 100) {
    char seed[32], calls[32];
    snprintf(seed, sizeof seed, "%lu", c.next());
    snprintf(calls, sizeof calls, "%d", calls_left / 2);
    execl(check::self_path, "syscall", "--helper", "worker", seed, calls, nullptr);
  } else {
    make(call);
  }
}

/// What the calls have undone: memory to point to, handlers, an end to all waiting.
void restore() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_ONSTACK;
  for (int number : {1, 2, 3, 10, 12, 13, 14, 15, 17, 18, 34, 40, 64})
    sigaction(number, &action, nullptr);
  mmap((void*)fuzz::arena, fuzz::arena_pages * 4096, PROT_READ | PROT_WRITE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  hostile::arm();
  itimerval often = {{0, 20'000}, {0, 20'000}};
  setitimer(ITIMER_REAL, &often, nullptr);
}

void open_files() {
  const int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(null, 1);
  int ends[2];
  for (int flags : {0, O_NONBLOCK}) (void)!pipe2(ends, flags);
  for (const char* path : {"a", "b"}) open(path, O_RDWR | O_CREAT, 0777);
  mkdir("d", 0755);
  mkfifo("l", 0644);
  open("d", O_RDONLY | O_DIRECTORY);
  open("l", O_RDWR | O_NONBLOCK);
  for (const char* path : {"/dev/zero", "/dev/urandom", "/proc/self/maps"}) open(path, O_RDWR);
  open("/proc/self/status", O_RDONLY);
  // A private file, a shared one, private memory, shared memory.
  constexpr int sources[] = {MAP_PRIVATE, MAP_SHARED, MAP_PRIVATE | MAP_ANONYMOUS,
                             MAP_SHARED | MAP_ANONYMOUS};
  constexpr uint64_t part = fuzz::churn_pages / 16 * 4096;
  (void)!ftruncate(8, 5 * 4096 + 1000);
  for (int i = 0; i < 4; ++i)
    mmap((void*)(fuzz::churn + i * part), part, PROT_READ | PROT_WRITE, sources[i] | MAP_FIXED, 8,
         0);
}

[[noreturn]] void work(uint64_t seed, int calls) {
  static Choices mine(seed);
  mine = Choices(seed);
  choices = &mine;
  calls_left = calls;
  open_files();
  for (int i = 0; calls_left > 0; ++i, --calls_left) {
    if (i % 64 == 0) restore();
    hostile::attempt(step);
  }
  _exit(0);
}

// -- The first process.

int failures_seen = 0;
char first_failure[128] = "answers\n";

void complain(const char* what, long got) {
  if (failures_seen++ == 0)
    snprintf(first_failure, sizeof first_failure, "FAILED: %s (%ld, errno %d)\n", what, got, errno);
}

Kept kept[] = {{"/", {}}, {"/dev", {}}, {"/tmp", {}}, {"/fuzz", {}}};

/// Ends every other process; false when one is left after ten seconds.
bool end_all_others() {
  for (int tries = 0; tries < 1000; ++tries) {
    if (kill(-1, SIGKILL) != 0 && errno != ESRCH) complain("kill", 0);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return true;
    usleep(10'000);
  }
  complain("a process survives SIGKILL", 0);
  return false;
}

/// Waits for the worker while it makes progress.
enum End { by_itself, by_signal, hung };
End wait_for(pid_t worker) {
  long seen = -1;
  for (int idle = 0; idle < 20;) {
    int status;
    if (waitpid(worker, &status, WNOHANG) == worker)
      return WIFEXITED(status) ? by_itself : by_signal;
    usleep(10'000);
    idle = shared->progress == seen ? idle + 1 : 0;
    if (idle == 5) kill(-1, SIGCONT);
    seen = shared->progress;
  }
  return hung;
}

volatile long canaries[512];

void check_answers() {
  for (long i = 0; i < 512; ++i)
    if (canaries[i] != i * 77) complain("a canary is gone", i);
  const pid_t pid = fork();
  if (pid == 0) {
    execl(check::self_path, "syscall", "--helper", "answer", nullptr);
    _exit(1);
  }
  int status = -1;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 42 << 8)
    complain("a program does not run", status);
  char wrote[10000], got[10000];
  for (size_t i = 0; i < sizeof wrote; ++i) wrote[i] = (char)(i * 31);
  const int fd = open("/fuzz/answer", O_RDWR | O_CREAT | O_TRUNC, 0644);
  const long written = write(fd, wrote, sizeof wrote);
  const long read = pread(fd, got, sizeof got, 0);
  if (written != sizeof wrote || read != sizeof got || memcmp(wrote, got, sizeof got))
    complain("a file does not keep what was written", read);
  close(fd);
  unlink("/fuzz/answer");
}

long free_memory() {
  struct sysinfo info = {};
  sysinfo(&info);
  return (long)(info.freeram * info.mem_unit);
}

End episode(uint64_t seed) {
  umask(0);
  const pid_t worker = fork();
  if (worker == 0) {
    setsid();
    mkdir("/fuzz/home", 0777);
    (void)!chdir("/fuzz/home");
    work(seed, calls_an_episode);
  }
  if (worker < 0) complain("fork", worker);
  const End end = wait_for(worker);
  end_all_others();
  for (Kept& directory : kept)
    if (!directory.restore()) complain("a name stays", 0);
  check_answers();
  return end;
}

void report(long episodes, const long (&ends)[3]) {
  check::say("\nepisodes %ld ended %ld killed %ld stuck %ld\n", episodes, ends[0], ends[1],
             ends[2]);
  for (uint64_t i = 0; i <= fuzz::highest_number + 1; ++i) {
    const Tally& t = shared->tallies[i];
    if (t.made)
      check::say("call %lu %u %u %u %u %u %u\n", i, t.made, t.ok, t.efault, t.einval, t.enosys,
                 t.other);
  }
  check::say("%s", first_failure);
}

int supervise(uint64_t seed, uint64_t number, double seconds) {
  for (long i = 0; i < 512; ++i) canaries[i] = i * 77;
  mkdir("/fuzz", 0777);
  for (Kept& directory : kept) directory.note();
  const time_t end = time(nullptr) + (time_t)seconds;
  long ends[3] = {}, episodes = 0, free_at_first = 0;
  do {
    ++ends[episode(Choices(seed + number).next())];
    ++number, ++episodes;
    if (episodes == 2) free_at_first = free_memory();  // by then all that stays is there
    const long lost = free_at_first - free_memory();
    if (episodes > 2 && lost > leak_tolerance) complain("bytes of memory are lost", lost);
  } while (!failures_seen && time(nullptr) < end);
  report(episodes, ends);
  return failures_seen != 0;
}

}  // namespace

/// In a child that shares memory with its parent, on a stack of its own.
extern "C" [[noreturn]] void go_on_elsewhere() {
  syscall(SYS_getpid);
  syscall(SYS_exit, 3);
  abort();
}

int helper(int argc, char** argv) {
  if (argc < 3) return 42;
  shared = (Shared*)mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check::self_path = "/test/syscall";
  unprotected = getenv("UNPROTECTED") != nullptr;
  if (strcmp(argv[0], "worker") == 0) work(strtoull(argv[1], nullptr, 0), atoi(argv[2]));
  return supervise(strtoull(argv[0], nullptr, 0), strtoull(argv[1], nullptr, 0), atof(argv[2]));
}
