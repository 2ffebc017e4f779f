// What the extended monitor's parts under test find around them: everything that is not there when
// they are built for the host. Whoever gives up or leaves throws.
#include <asm/unistd_64.h>
#include <linux/futex.h>

#include <cstring>

#include "extended-vmm/spaces/pool.h"
#include "extended-vmm/trap/trampolines.h"
#include "extended-vmm/trap/upcall.h"
#include "tests/unit/resident/fake_host.h"

namespace extended {

ResidentImage& image() {
  static ResidentImage the_image{};
  return the_image;
}

[[noreturn]] void die(const char* message, const DeathRegisters&) {
  throw fake::Panic{message};
}
[[noreturn]] void die_of_host_call(const char* call, std::int64_t result) {
  char message[monitor::failure_bytes];
  monitor::describe_failure(message, call, result);
  throw fake::Panic{message};
}

void build_machine() {}
void map_trampolines() {}
void set_up_accounts() {}
void arm_signal_stack() {}
void take_vectors() {}
[[noreturn]] void enter_after_death() {
  throw fake::Left();
}

extern "C" {
std::int32_t launcher_pid;

[[noreturn]] void first_trap() {
  throw fake::Left();
}

/// As handover.S does it, which has a test of its own.
void hand_over(Member*, Member* to) {
  sure("futex", host(__NR_futex, &to->turn, FUTEX_WAKE, 1));
}
std::int64_t clone_member(Member* made, std::uint64_t flags) {
  return host(__NR_clone, flags, made->parking_stack, &made->pid);
}

std::uint64_t copy_with_landing(void* to, const void* from, std::uint64_t bytes) {
  std::memcpy(to, from, bytes);
  return 0;
}
std::uint64_t zero_with_landing(std::uint64_t va, std::uint64_t bytes) {
  fake::Host& host = fake::host();
  const std::uint64_t done = host.fill_refused ? bytes / 2 : bytes;
  const std::uint64_t at = host.mapped.at(va).offset - vmi::ram_offset + vmi::window_size;
  std::memset(host.memory.data() + at, 0, done);
  return bytes - done;
}
}

}  // namespace extended
