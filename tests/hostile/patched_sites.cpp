// Hostile: call sites that a monitor may rewrite (trap=direct), used against others. One program
// makes calls often, from code of its choice, so that whatever the monitor keeps about them is
// there; another has other code at the same addresses, or a file's true code in place of a forged
// one. It must not notice.
#include "hostile.h"

#include "../conformance/site_farm.h"

using namespace hostile;

extern "C" {
long call_code(uint64_t at, long number, long argument);  // rax as it comes back
void step_code(uint64_t at);                              // with TF set
}
asm(R"(
    .text
call_code:
    mov %rdi, %r9
    mov %rsi, %rax
    mov %rdx, %rdi
    call *%r9
    ret
step_code:
    pushfq
    orl $0x100, (%rsp)
    popfq
    call *%rdi
    pushfq
    andl $~0x100, (%rsp)
    popfq
    ret
)");

static constexpr uint64_t base = 0x2000'0000, site_offset = 0x240, site = base + site_offset;
static constexpr unsigned char nop = 0x90, ret = 0xc3, hlt = 0xf4;
// read(rdi, …), and getpid.
static constexpr unsigned char short_code[] = {0x31, 0xc0, 0x0f, 0x05, ret};
static constexpr unsigned char long_code[] = {0xb8, SYS_getpid, 0, 0, 0, 0x0f, 0x05, ret};

struct Page {
  unsigned char bytes[page];
  explicit Page(unsigned char filler) { memset(bytes, filler, sizeof bytes); }
  template <size_t n>
  Page& with(uint64_t at, const unsigned char (&code)[n]) {
    memcpy(bytes + at, code, n);
    return *this;
  }
};

static void map_file(int fd, uint64_t at, uint64_t bytes, uint64_t offset) {
  void* to = (void*)at;
  REQUIRE(mmap(to, bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, (off_t)offset) == to);
}
/// As a library is mapped: privately, to be read and executed.
static void map_code(const Page& code) {
  int fd = open("/tmp/patched_sites", O_RDWR | O_CREAT | O_TRUNC, 0600);
  REQUIRE(fd >= 0 && write(fd, code.bytes, page) == (long)page);
  map_file(fd, base, page, 0);
  close(fd);
  unlink("/tmp/patched_sites");
}

/// Calls code so often, and for so long, that a monitor has thought about it.
static void insist(uint64_t at, long wanted) {
  for (int i = 0; i < 200; ++i) {
    if (i % 20 == 0) usleep(2000);
    REQUIRE(call_code(at, 0, -1) == wanted);
  }
}
static int use_code(const Page& code, long wanted) {
  return check::in_child([&] {
    map_code(code);
    insist(site, wanted == 0 ? getpid() : wanted);
    return 0;
  });
}

// -- Where a tick, or a step, finds a program.

static uint64_t expected_step;
static volatile bool strayed;

/// Through NOPs, up to a `ret`.
static void on_nop(int, siginfo_t*, void* raw) {
  const auto rip = (uint64_t)((ucontext_t*)raw)->uc_mcontext.gregs[REG_RIP];
  if (rip < base || rip >= base + page) return;
  if (rip != expected_step) strayed = true;
  expected_step = rip + 1;
}
static void on_steps(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  REQUIRE(sigaction(SIGTRAP, &action, nullptr) == 0);
}

static Page with_short_site() {
  return Page(nop).with(site_offset, short_code);
}

TEST(steps_where_another_program_has_a_site) {
  CHECK_EXITED(use_code(with_short_site(), -EBADF), 0);
  on_steps(on_nop);
  // Nothing of it; and just the same, but never called.
  for (bool the_same : {false, true}) {
    Page code = the_same ? with_short_site() : Page(nop);
    code.bytes[0x2ff] = ret;
    map_code(code);
    strayed = false;
    expected_step = site + sizeof short_code;
    step_code(expected_step);
    CHECK(!strayed);
    CHECK_EQ(expected_step, base + 0x300);
  }
}

TEST(ticks_where_another_program_has_a_site) {
  CHECK_EXITED(use_code(with_short_site(), -EBADF), 0);
  // For each address that might be the way out of it: an endless loop of one instruction there, and
  // an end wherever else.
  static const unsigned char end[] = {0xb8, 60, 0, 0, 0, 0xbf, 66, 0, 0, 0, 0x0f, 0x05};
  static const unsigned char loop[] = {0xeb, 0xfe};
  for (uint64_t at = site_offset + 4; at < site_offset + 10; at += 2) {
    const pid_t child = check::start_child([&] {
      map_code(Page(nop).with(0x800, end).with(at, loop));
      call_code(base + at, 0, 0);
      return 67;
    });
    usleep(100'000);
    kill(child, SIGKILL);
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_KILLED(status, SIGKILL);
  }
}

static uint64_t way_in;

/// Steps through all of the way to the gate but its end.
static void on_way(int, siginfo_t*, void* raw) {
  auto& registers = ((ucontext_t*)raw)->uc_mcontext.gregs;
  const auto rip = (uint64_t)registers[REG_RIP];
  if (rip >= base && rip < base + page) strayed = true;
  if (rip == way_in + 15 || strayed) registers[REG_EFL] &= ~0x100;
}

/// The low trampoline that returns to `address`; 0: there is none, and it is well so.
static uint64_t find_trampoline(uint64_t address) {
  volatile uint64_t found = 0;
  attempt([&] {
    for (uint64_t at = vmi::trampolines_low; at < vmi::trampolines_low + vmi::trampolines_low_bytes;
         at += 32)
      if (memcmp((void*)(at + 7), &address, sizeof address) == 0) found = at;
  });
  return found;
}

TEST(steps_on_the_way_from_a_site_of_another_program) {
  CHECK_EXITED(use_code(Page(nop).with(site_offset, long_code), 0), 0);
  const uint64_t returns_to = site + sizeof long_code - 1;
  way_in = find_trampoline(returns_to);
  if (way_in == 0) return;
  // Here is no such site: only where it returns to.
  static const unsigned char back[] = {ret};
  map_code(Page(hlt).with(returns_to - base, back));
  strayed = false;
  CHECK_EQ(call_code(way_in, 0, 0), getpid());
  on_steps(on_way);
  step_code(way_in);
  CHECK(!strayed);
}

// -- Stopped on the way while all sites are undone and their trampolines become others'.

static bool crowded, fills_again;

/// Another program patches more sites than have room, and calls those without until all begins
/// anew; then it may fill the room again. Where that takes too long it is less.
static void crowd() {
  if (crowded) return;
  crowded = true;
  CHECK_EXITED(check::in_child([&] {
                 const SiteFarm sites("/tmp/patched_sites_farm", 0x3000'0000, 2200);
                 bool right = sites.call_all();
                 int last = 2199;
                 while (last > 0 && sites.patched(last, last + 1) == 1) --last;
                 for (int i = 0; stride(1) == 1 && i < 140'000; ++i)
                   right = sites.call(last) && right;
                 return right && (!fills_again || sites.call_all()) ? 0 : 1;
               }),
               0);
}

/// An honest caller is back at its call; one that came without a site is still on the way.
static void crowd_at_step(int, siginfo_t*, void* raw) {
  auto& registers = ((ucontext_t*)raw)->uc_mcontext.gregs;
  const auto rip = (uint64_t)registers[REG_RIP];
  if (rip != expected_step) return;
  registers[REG_EFL] &= ~0x100;
  crowd();
}

TEST(stopped_at_a_site_while_all_are_undone) {
  map_code(Page(nop).with(site_offset, long_code));
  insist(site, getpid());
  crowded = false;
  expected_step = site + 5;
  on_steps(crowd_at_step);
  step_code(site);
  CHECK(crowded);
  for (int i = 0; i < 10; ++i) CHECK_EQ(call_code(site, 0, 0), getpid());
  insist(site, getpid());
}

TEST(stopped_on_anothers_way_while_all_are_undone) {
  CHECK_EXITED(use_code(Page(nop).with(site_offset, long_code), 0), 0);
  const uint64_t returns_to = site + sizeof long_code - 1;
  way_in = find_trampoline(returns_to);
  static const unsigned char back[] = {ret};
  map_code(Page(hlt).with(returns_to - base, back));
  if (way_in == 0) return;
  crowded = false;
  fills_again = true;
  expected_step = way_in + 15;
  on_steps(crowd_at_step);
  attempt([] { step_code(way_in); });
  CHECK(crowded);
  CHECK(sound(true));
}

// -- What was judged about one program's code.

TEST(forged_code_with_the_hash_of_anothers) {
  // cmp $-4096, %rax; ja to the ret; and nowhere room.
  static const unsigned char code[] = {0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x00,
                                       0xf0, 0xff, 0xff, 0x77, 0x01, hlt,  ret};
  Page true_code(nop);
  memset(true_code.bytes + site_offset + 14, hlt, 200);
  true_code.with(site_offset, code);
  // FNV-1a, in 32 bits, of 64 bytes up to the call and 136 behind it is that of the true code.
  static const unsigned char collide[] = {0x48, 0xb8, nop, nop, 0x51, 0xa4, 0x1c, 0xae, 0x00, 0x00};
  const Page forged = with_short_site().with(site_offset + 4 - 64, collide);

  int fd = open("/tmp/patched_sites_true", O_RDWR | O_CREAT | O_TRUNC, 0600);
  REQUIRE(fd >= 0 && write(fd, true_code.bytes, page) == (long)page);
  map_file(fd, base, page, 0);
  CHECK_EXITED(check::in_child([&] {
                 map_code(forged);
                 insist(site, -EBADF);
                 map_file(fd, base, page, 0);
                 return call_code(site, 0, -1) == -EBADF ? 0 : 1;
               }),
               0);
  CHECK_EQ(memcmp((void*)base, true_code.bytes, page), 0);
  map_file(fd, base, page, 0);
  CHECK_EQ(memcmp((void*)base, true_code.bytes, page), 0);
  CHECK_EQ(call_code(site, 0, -1), -EBADF);
  unlink("/tmp/patched_sites_true");
}

/// Code whose instructions cross into the second page: mov $getpid, %r8d. Without the first page
/// the second one loads eax.
TEST(forged_code_on_the_page_before) {
  Page first(nop), second(nop);
  first.bytes[page - 1] = 0x41;
  second.with(0, long_code);
  int fd = open("/tmp/patched_sites_two", O_RDWR | O_CREAT | O_TRUNC, 0600);
  REQUIRE(fd >= 0 && write(fd, first.bytes, page) == (long)page &&
          write(fd, second.bytes, page) == (long)page);
  CHECK_EXITED(check::in_child([&] {
                 map_code(Page(nop));
                 map_file(fd, base + page, page, page);
                 insist(base + page, getpid());
                 return 0;
               }),
               0);
  map_file(fd, base, 2 * page, 0);
  for (int i = 0; i < 10; ++i) CHECK_EQ(call_code(base + page - 1, SYS_getppid, 0), getppid());
  unlink("/tmp/patched_sites_two");
}
