// What an attempt of the gate fuzzer is made of, all chosen by a seed and the attempt's number: a
// target, flags, registers, and forged blocks in the monitor's area that user code can write.
#pragma once

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "../hostile/attempt.h"
#include "vmi/address_map.h"

namespace gate_fuzz {

inline constexpr uint64_t carry_to_overflow = 0x8d5, trap_flag = 0x100, direction = 0x400,
                          nested_task = 0x4000, resume = 0x10000, alignment = 0x40000,
                          identification = 0x200000;
inline constexpr uint64_t listed_flags[] = {trap_flag, direction, nested_task, alignment,
                                            identification};
inline constexpr uint64_t flag_sets = 1 << 5;

class Random {
 public:
  Random(uint64_t seed, uint64_t number) : state_(seed * 0xd1342543de82ef95 + number) { next(); }
  uint64_t next() {  // splitmix64
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }
  bool once_in(uint64_t times) { return below(times) == 0; }
  template <class T, size_t n>
  T one_of(const T (&list)[n]) {
    return list[below(n)];
  }

 private:
  uint64_t state_;
};

/// Memory that system calls may be given: slots, then a page that is not there. What is written
/// through a pointer goes upward; the canary below the slots must stay as it is.
struct Arena {
  static constexpr uint64_t canary_bytes = 16384, slot_bytes = 8192, slots = 4;
  uint8_t* canary;
  uint8_t* slot[slots];
  uint64_t* stack;  // of the attempts: filled with ways home
  uint64_t home;
  uint64_t mapping_bytes;  // of the gate's own mmap and munmap, where it has them

  void map(void (*landing)()) {
    auto fresh = [](uint64_t bytes) {
      void* at =
          mmap(nullptr, bytes + 2 * hostile::page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      mprotect((char*)at + hostile::page, bytes, PROT_READ | PROT_WRITE);
      return (uint8_t*)at + hostile::page;
    };
    canary = fresh(canary_bytes + slots * slot_bytes);
    for (uint64_t i = 0; i < slots; ++i) slot[i] = canary + canary_bytes + i * slot_bytes;
    auto* words = (uint64_t*)fresh(8192);
    for (int i = 0; i < 1024; ++i) words[i] = (uint64_t)landing;
    stack = words + 512;
    home = (uint64_t)landing;
    refill_canary();
  }
  void refill_canary() const {
    for (uint64_t i = 0; i < canary_bytes; ++i) canary[i] = (uint8_t)(i * 7 + 1);
  }
  /// A jump into the middle of an instruction may find one that stores a word at a negative
  /// distance from a pointer: that is the program's own doing. No copy is that short.
  [[nodiscard]] bool sound() const {
    constexpr uint64_t most_of_an_instruction = 16;
    uint64_t changed = 0;
    for (uint64_t i = 0; i < canary_bytes; ++i) changed += canary[i] != (uint8_t)(i * 7 + 1);
    return changed <= most_of_an_instruction;
  }
  /// Paths, vectors of buffers, and times of nothing, for calls that read structures.
  void refill(Random& random) const {
    strcpy((char*)slot[0], random.once_in(2) ? "/bin" : "file");
    auto* vectors = (iovec*)slot[1];
    for (int i = 0; i < 8; ++i)
      vectors[i] = {slot[2] + random.below(4096), (size_t)random.below(2000)};
    memset(slot[2], 0, 64);
    stack[0] = stack[1] = stack[-1] = home;
  }
};

/// Calls that look at memory, mostly; none that changes what memory this process has, or ends it.
inline constexpr uint16_t copying_calls[] = {
    SYS_read,         SYS_write,          SYS_pread64,
    SYS_pwrite64,     SYS_readv,          SYS_writev,
    SYS_stat,         SYS_fstat,          SYS_lstat,
    SYS_newfstatat,   SYS_statx,          SYS_access,
    SYS_uname,        SYS_getcwd,         SYS_getdents64,
    SYS_readlink,     SYS_clock_gettime,  SYS_getrandom,
    SYS_getrlimit,    SYS_prlimit64,      SYS_times,
    SYS_getrusage,    SYS_sysinfo,        SYS_getgroups,
    SYS_getpid,       SYS_getppid,        SYS_getuid,
    SYS_lseek,        SYS_gettimeofday,   SYS_rt_sigpending,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_sched_getaffinity};

/// What would end an attempt's process or take its memory, and says nothing about the gate.
inline bool harms_itself(uint64_t number) {
  for (int one : {SYS_mmap,
                  SYS_mprotect,
                  SYS_munmap,
                  SYS_brk,
                  SYS_mremap,
                  SYS_madvise,
                  SYS_fork,
                  SYS_vfork,
                  SYS_clone,
                  SYS_clone3,
                  SYS_execve,
                  SYS_execveat,
                  SYS_exit,
                  SYS_exit_group,
                  SYS_kill,
                  SYS_tkill,
                  SYS_tgkill,
                  SYS_rt_sigqueueinfo,
                  SYS_rt_tgsigqueueinfo,
                  SYS_pidfd_send_signal,
                  SYS_arch_prctl,
                  SYS_pause,
                  SYS_close,
                  SYS_close_range,
                  SYS_dup2,
                  SYS_dup3,
                  SYS_sigaltstack,
                  SYS_setitimer,
                  SYS_setpgid,
                  SYS_setsid,
                  SYS_reboot})
    if (number == (uint64_t)one) return true;
  return false;
}

inline uint64_t pointer(Random& random, const Arena& arena) {
  const uint64_t at = (uint64_t)arena.slot[random.below(Arena::slots)];
  return random.once_in(3) ? at + random.below(4096) : at;
}

/// A word that means something here: lengths, addresses of the monitor's, of nothing, or no sense.
inline uint64_t word(Random& random, const Arena& arena) {
  switch (random.below(8)) {
    case 0:
      return random.next();
    case 1: {
      static const uint64_t places[] = {vmi::window_base,
                                        vmi::gate_base,
                                        vmi::alt_stack_base,
                                        vmi::alt_stack_base + 0x800,
                                        vmi::alt_stack_base + 0xc00,
                                        vmi::resident_base,
                                        vmi::kernel_base,
                                        vmi::attic_base,
                                        vmi::attic_slab(1) + 0x1000,
                                        vmi::ram_base,
                                        vmi::user_end,
                                        0,
                                        ~0ul};
      return random.one_of(places) + random.below(64) * 8;
    }
    case 2:
    case 3:
      return random.below(16);
    case 4:
      return random.below(4096);
    default:
      return pointer(random, arena);
  }
}

inline uint64_t call_number(Random& random) {
  if (!random.once_in(6)) return random.one_of(copying_calls);
  const uint64_t number = random.below(460);
  return harms_itself(number) ? SYS_getppid : number;
}

/// A system call's registers; descriptors are few, and the second and third mostly pointer, length.
inline void make_call(Random& random, const Arena& arena, Registers& r) {
  r.rax = call_number(random);
  r.rdi = random.once_in(2) ? random.below(6) : word(random, arena);
  r.rsi = random.once_in(3) ? word(random, arena) : pointer(random, arena);
  r.rdx = random.once_in(2) ? random.below(4097) : word(random, arena);
  r.r10 = word(random, arena);
  r.r8 = word(random, arena);
  r.r9 = word(random, arena);
  if (r.rax == SYS_stat || r.rax == SYS_uname || r.rax == SYS_getcwd || r.rax == SYS_lstat)
    r.rdi = pointer(random, arena);
  if (r.rax == SYS_rt_sigaction) r.rdi = 10, r.rsi = 0, r.r10 = 8;
  if (r.rax == SYS_rt_sigprocmask) r.rsi = 0, r.r10 = 8;
  if (r.rax == SYS_prlimit64) r.rdx = 0;
}

/// What the gate's own host calls have in their registers: some way into a sequence, they are
/// ready.
inline void make_opening(Random& random, const Arena& arena, Registers& r) {
  r.rdi = vmi::window_base, r.rsi = vmi::window_size, r.rdx = random.once_in(3) ? 0 : 7;
  static const uint64_t numbers[] = {SYS_mprotect, SYS_mmap, SYS_munmap};
  r.rax = random.one_of(numbers);
  const bool of_attic = random.once_in(4);
  if (of_attic) r.rdi = vmi::attic_slab((uint32_t)random.below(4)), r.rsi = vmi::attic_slab_bytes;
  if (r.rax == SYS_mprotect) return;
  if (!of_attic) r.rsi = arena.mapping_bytes;
  r.r10 = 0x11, r.r8 = 3, r.r9 = r.rdi - vmi::window_base;
}

inline uint64_t stack_pointer(Random& random, const Arena& arena) {
  if (!random.once_in(4)) return (uint64_t)arena.stack;
  static const uint64_t places[] = {vmi::alt_stack_base,
                                    vmi::alt_stack_base + 0x800,
                                    vmi::alt_stack_base + 0xc00,
                                    vmi::alt_stack_base + 0xc30,
                                    vmi::alt_stack_base + 0x1000,
                                    vmi::alt_stack_base + 0x8000,
                                    vmi::alt_stack_base + vmi::alt_stack_size,
                                    vmi::window_base + 0x1000,
                                    vmi::window_end,
                                    vmi::attic_base + 0x1000,
                                    0};
  return random.one_of(places) + (random.once_in(2) ? 0 : random.below(128) * 8);
}

inline Registers make_registers(Random& random, const Arena& arena, uint64_t flags) {
  Registers r;
  auto* words = (uint64_t*)&r;
  for (int i = 0; i < 16; ++i) words[i] = word(random, arena);
  if (harms_itself(r.rax)) r.rax = SYS_getppid;
  const uint64_t kind = random.below(4);
  if (kind > 0) make_call(random, arena, r);
  if (kind == 1) make_opening(random, arena, r);
  r.rcx = random.once_in(4) ? word(random, arena) : arena.home;  // a way home
  r.rsp = stack_pointer(random, arena);
  r.rflags = flags | 2 | (random.next() & carry_to_overflow);
  return r;
}

// -- What lies in the area that anybody can write: gate.h of the extended VMM says what it is.
struct ForgedExit {
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx;
  uint64_t rip, cs, rflags, rsp, ss;
};
struct ForgedDirect {
  uint64_t rdi, rsi, rdx, rax, return_address, r8, r9, r10;
};

inline uint64_t forged_flags(Random& random) {
  return random.once_in(2) ? 0x202 : random.next() & 0x3f7fd7;
}

inline void forge_exit(Random& random, const Arena& arena, ForgedExit& out) {
  Registers r;
  auto* words = (uint64_t*)&out;
  for (int i = 0; i < 15; ++i) words[i] = word(random, arena);
  make_call(random, arena, r);
  out.rax = r.rax, out.rdi = r.rdi, out.rsi = r.rsi, out.rdx = r.rdx;
  const uint64_t home = arena.home;
  out.rip = random.once_in(8) ? vmi::gate_base + random.below(0x400) : home;
  out.rcx = random.once_in(4) ? vmi::gate_base + random.below(0x400) : home;
  out.cs = random.once_in(8) ? random.next() & 0xffff : 0x33;
  out.rflags = forged_flags(random);
  out.rsp = stack_pointer(random, arena);
  out.ss = random.once_in(8) ? random.next() & 0xffff : 0x2b;
}

inline void forge_direct(Random& random, const Arena& arena, ForgedDirect& out) {
  Registers r = {};
  make_call(random, arena, r);
  const uint64_t home = random.once_in(8) ? word(random, arena) : arena.home;
  out = {r.rdi, r.rsi, r.rdx, r.rax, home, r.r8, r.r9, r.r10};
}

/// Words of the last signal frame, at the top of the stack for signals.
inline void forge_frame(Random& random, const Arena& arena) {
  constexpr uint64_t reach = 4096;
  const uint64_t top = vmi::alt_stack_base + vmi::alt_stack_size;
  for (uint64_t changes = random.below(4); changes > 0; --changes)
    *(volatile uint64_t*)(top - reach + random.below(reach / 8) * 8) = word(random, arena);
}

inline void forge(Random& random, const Arena& arena) {
  ForgedExit out;
  forge_exit(random, arena, out);
  memcpy((void*)(vmi::alt_stack_base + 0x800), &out, sizeof out);
  ForgedDirect direct;
  forge_direct(random, arena, direct);
  memcpy((void*)(vmi::alt_stack_base + 0xc00), &direct, sizeof direct);
  auto* stamps = (volatile uint64_t*)(vmi::alt_stack_base + 0xe00);
  stamps[0] = random.next();
  stamps[1] = random.once_in(2) ? ~0ul : random.next();
  if (random.once_in(4)) forge_frame(random, arena);
}

}  // namespace gate_fuzz
