// Hostile: call sites that a monitor may rewrite (trap=direct), used against others. One program
// makes calls often, from code of its choice, so that whatever the monitor keeps about them is
// there; another has other code at the same addresses, or a file's true code in place of a forged
// one. It must not notice.
#include "code_pages.h"

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

/// Where the NOPs behind it end.
static constexpr uint64_t room_end = site_offset + 16;

static Page with_room_end(Page code) {
  code.bytes[room_end] = ret;
  return code;
}
static Page with_short_site() {
  return with_room_end(Page(nop).with(site_offset, short_code));
}

TEST(steps_where_another_program_has_a_site) {
  CHECK_EXITED(use_code(with_short_site(), -EBADF), 0);
  on_steps(on_nop);
  // Nothing of it; and just the same, but never called.
  for (bool the_same : {false, true}) {
    map_code(the_same ? with_short_site() : with_room_end(Page(nop)));
    strayed = false;
    expected_step = site + sizeof short_code;
    step_code(expected_step);
    CHECK(!strayed);
    CHECK_EQ(expected_step, base + room_end + 1);
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

TEST(steps_on_the_way_from_a_site_of_another_program) {
  CHECK_EXITED(use_code(Page(nop).with(site_offset, long_code), 0), 0);
  way_in = find_trampoline(behind_site);
  if (way_in == 0) return;
  // Here is no such site: only where it returns to.
  static const unsigned char back[] = {ret};
  map_code(Page(hlt).with(behind_site - base, back));
  strayed = false;
  CHECK_EQ(call_code(way_in, 0, 0), getpid());
  on_steps(on_way);
  step_code(way_in);
  CHECK(!strayed);
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
  static const unsigned char collide[] = {0x48, 0xb8, nop,  0x00, 0x09,
                                          0x8e, 0x7a, 0xeb, 0x00, 0x00};
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
