// Hostile: patched call sites (trap=direct) that are all undone, for want of room, and whose places
// other sites then take: under programs that are stopped on the way from one, or that have code of
// their own where it once was patched, or that looks as if it were. Nobody must notice.
#include "code_pages.h"

#include "../conformance/site_farm.h"

#include <pthread.h>

/// Does anybody patch here? And is there time for the 131 072 calls that trap until all begins
/// anew?
static bool can_begin_anew() {
  return !read_faults(vmi::trampolines_low) && stride(1) == 1;
}

/// Another program patches more sites than have room, and calls those without until all begins
/// anew; then it fills the room again, with sites elsewhere.
static int crowd() {
  return check::in_child([&] {
    const int many = can_begin_anew() ? 2200 : 100;
    const SiteFarm first("/tmp/restored_sites_1", 0x3000'0000, many);
    bool right = first.call_all();
    if (can_begin_anew()) right = first.begin_anew() && right;
    const SiteFarm second("/tmp/restored_sites_2", 0x3800'0000, many),
        high("/tmp/restored_sites_3", 0, many);
    right = second.call_all() && high.call_all() && right;
    return right ? 0 : 1;
  });
}

/// Whoever came before may have left no room: what a test is about would not be patched.
static void begin_with_room() {
  if (!can_begin_anew()) return;
  CHECK_EXITED(check::in_child([&] {
                 const SiteFarm sites("/tmp/restored_sites_4", 0x3000'0000, 2200);
                 return sites.call_all() && sites.begin_anew() ? 0 : 1;
               }),
               0);
}

// -- Stopped on the way.

static uint64_t stop_at;
static bool crowded;

/// An honest caller is back at its call; one that came without a site is still on the way.
static void crowd_at_step(int, siginfo_t*, void* raw) {
  auto& registers = ((ucontext_t*)raw)->uc_mcontext.gregs;
  const auto rip = (uint64_t)registers[REG_RIP];
  if (rip != stop_at) return;
  registers[REG_EFL] &= ~0x100;
  if (!crowded) CHECK_EXITED(crowd(), 0);
  crowded = true;
}
static void step_to(uint64_t at, uint64_t stop) {
  struct sigaction action = {};
  action.sa_sigaction = crowd_at_step;
  action.sa_flags = SA_SIGINFO;
  REQUIRE(sigaction(SIGTRAP, &action, nullptr) == 0);
  stop_at = stop;
  step_code(at);
}

TEST(stopped_at_a_site) {
  begin_with_room();
  map_code(Page(nop).with(site_offset, long_code));
  insist(site, getpid());
  step_to(site, site + 5);
  CHECK(crowded);
  for (int i = 0; i < 10; ++i) CHECK_EQ(call_code(site, 0, 0), getpid());
  insist(site, getpid());
}

TEST(stopped_on_the_way_from_anothers) {
  begin_with_room();
  CHECK_EXITED(use_code(Page(nop).with(site_offset, long_code), 0), 0);
  const uint64_t way_in = find_trampoline(behind_site);
  static const unsigned char back[] = {ret};
  map_code(Page(hlt).with(behind_site - base, back));
  CHECK(way_in != 0 || !can_begin_anew());
  if (way_in == 0) return;
  attempt([&] { step_to(way_in, way_in + 15); });
  CHECK(crowded);
  CHECK(sound(true));
}

// -- Code that is there while others take its trampolines.

static const SiteFarm* turning;
static volatile bool turned_wrong, turn_over;
static int blocked_on[2];
static volatile long blocked_result = -1000;

/// read(rdi, …) by a `mov`, which needs no room.
static constexpr unsigned char read_code[] = {0xb8, SYS_read, 0, 0, 0, 0x0f, 0x05, ret};

static void* turn(void*) {
  for (int i = 0; !turn_over; i = (i + 1) % 100) {
    if (!turning->call(i)) turned_wrong = true;
    if (i % 25 == 0) usleep(100);
  }
  return nullptr;
}
static void* block(void*) {
  char byte;
  asm volatile("call *%[code]"
               : "=a"(blocked_result)
               : [code] "r"(site), "D"(blocked_on[0]), "S"(&byte), "d"(1l)
               : "rcx", "r11", "memory");
  return nullptr;
}

TEST(sites_whose_places_others_take) {
  begin_with_room();
  const SiteFarm mine("/tmp/restored_mine", 0x2100'0000, 100),
      high("/tmp/restored_high", 0, can_begin_anew() ? 1000 : 100),
      changed("/tmp/restored_changed", 0x2200'0000, 30),
      away("/tmp/restored_away", 0x2300'0000, 30);
  map_code(Page(nop).with(site_offset, read_code));
  insist(site, -EBADF);
  for (const SiteFarm* farm : {&mine, &high, &changed, &away}) REQUIRE(farm->call_all());
  if (can_begin_anew()) CHECK(mine.patched(0, 100) + changed.patched(0, 30) == 130);
  changed.write_again();
  away.unmap();
  // A process that sleeps, a thread that sleeps in a call from a site, and one that goes on.
  int wake[2];
  REQUIRE(pipe(wake) == 0 && pipe(blocked_on) == 0);
  const pid_t sleeper = check::start_child([&] {
    char byte;
    if (read(wake[0], &byte, 1) != 1) return 2;
    return mine.call_all() && high.call_all() && changed.call_all() ? 0 : 1;
  });
  turning = &mine;
  pthread_t threads[2];
  REQUIRE(pthread_create(&threads[0], nullptr, turn, nullptr) == 0);
  REQUIRE(pthread_create(&threads[1], nullptr, block, nullptr) == 0);
  for (int i = 0; i < 2; ++i) {
    CHECK_EXITED(crowd(), 0);
    for (const SiteFarm* farm : {&mine, &high, &changed}) CHECK(farm->call_all());
  }
  away.map_again();
  CHECK(away.call_all());
  turn_over = true;
  REQUIRE(write(wake[1], "", 1) == 1 && write(blocked_on[1], "", 1) == 1);
  for (pthread_t thread : threads) REQUIRE(pthread_join(thread, nullptr) == 0);
  CHECK(!turned_wrong);
  CHECK_EQ(blocked_result, 1);
  int status = -1;
  waitpid(sleeper, &status, 0);
  CHECK_EXITED(status, 0);
}

/// The inside of an instruction that looks like the jump that would be there if another program's
/// site were: that has the same address and its trampoline.
TEST(code_that_looks_patched) {
  begin_with_room();
  CHECK_EXITED(use_code(Page(nop).with(site_offset, long_code), 0), 0);
  const auto distance = (int32_t)(find_trampoline(behind_site) - (site + 5));
  unsigned char load[] = {0x48, 0xb8, 1, 2, 3, 0xe9, 0, 0, 0, 0, ret};  // movabs $…, %rax
  memcpy(load + 6, &distance, sizeof distance);
  long wanted;
  memcpy(&wanted, load + 2, sizeof wanted);
  Page code(hlt);
  memset(code.bytes + 0x700, nop, 0x100);
  map_code(code.with(site_offset - 5, load).with(0x800, long_code));
  insist(base + 0x800, getpid());
  for (int i = 0; i < 2; ++i) {
    CHECK_EQ(call_code(site - 5, 0, 0), wanted);
    CHECK_EXITED(crowd(), 0);
  }
  CHECK_EQ(call_code(site - 5, 0, 0), wanted);
  insist(base + 0x800, getpid());
}
