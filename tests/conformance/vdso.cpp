// Conformance: the vDSO. Found as a C library finds it (AT_SYSINFO_EHDR, versioned symbols), it
// tells the same time as the system calls, is read-only, and is memory like any other.
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "check.h"

namespace {

/// The tables of the mapped shared object.
struct Vdso {
  const char* base = reinterpret_cast<const char*>(getauxval(AT_SYSINFO_EHDR));
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const ElfW(Versym) * versions = nullptr;
  const ElfW(Verdef) * definitions = nullptr;
  unsigned count = 0;

  Vdso() {
    if (!base) return;
    auto* header = reinterpret_cast<const ElfW(Ehdr)*>(base);
    auto* programs = reinterpret_cast<const ElfW(Phdr)*>(base + header->e_phoff);
    const ElfW(Dyn)* dynamic = nullptr;
    for (int i = 0; i < header->e_phnum; ++i) {
      if (programs[i].p_type == PT_DYNAMIC) {
        dynamic = reinterpret_cast<const ElfW(Dyn)*>(base + programs[i].p_vaddr);
      }
    }
    for (; dynamic && dynamic->d_tag != DT_NULL; ++dynamic) note(*dynamic);
  }
  void note(const ElfW(Dyn) & entry) {
    const char* at = base + entry.d_un.d_ptr;
    if (entry.d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(at);
    if (entry.d_tag == DT_STRTAB) strings = at;
    if (entry.d_tag == DT_VERSYM) versions = reinterpret_cast<const ElfW(Versym)*>(at);
    if (entry.d_tag == DT_VERDEF) definitions = reinterpret_cast<const ElfW(Verdef)*>(at);
    if (entry.d_tag == DT_HASH) count = reinterpret_cast<const uint32_t*>(at)[1];
  }
  const char* version_of(unsigned symbol) const {
    auto* definition = definitions;
    for (;;) {
      if (definition->vd_ndx == (versions[symbol] & 0x7fff)) {
        auto* name = reinterpret_cast<const ElfW(Verdaux)*>(
            reinterpret_cast<const char*>(definition) + definition->vd_aux);
        return strings + name->vda_name;
      }
      if (!definition->vd_next) return "";
      definition = reinterpret_cast<const ElfW(Verdef)*>(reinterpret_cast<const char*>(definition) +
                                                         definition->vd_next);
    }
  }
  template <class Function>
  Function* find(const char* name) const {
    for (unsigned i = 0; symbols && versions && definitions && i < count; ++i) {
      if (strcmp(strings + symbols[i].st_name, name) || symbols[i].st_shndx == SHN_UNDEF) continue;
      if (strcmp(version_of(i), "LINUX_2.6")) continue;
      return reinterpret_cast<Function*>(const_cast<char*>(base) + symbols[i].st_value);
    }
    return nullptr;
  }
};

const Vdso vdso;
auto* const vdso_clock = vdso.find<long(clockid_t, timespec*)>("__vdso_clock_gettime");
auto* const vdso_day = vdso.find<long(timeval*, void*)>("__vdso_gettimeofday");
auto* const vdso_time = vdso.find<long(time_t*)>("__vdso_time");
auto* const vdso_cpu = vdso.find<long(unsigned*, unsigned*, void*)>("__vdso_getcpu");

constexpr long second = 1'000'000'000;

long asked(clockid_t clock) {
  timespec time{};
  if (syscall(SYS_clock_gettime, clock, &time) != 0) return -1;
  return time.tv_sec * second + time.tv_nsec;
}
long read_here(clockid_t clock) {
  timespec time{};
  if (vdso_clock(clock, &time) != 0 || time.tv_nsec < 0 || time.tv_nsec >= second) return -1;
  return time.tv_sec * second + time.tv_nsec;
}

}  // namespace

TEST(symbols_have_their_version) {
  CHECK(vdso.base != nullptr);
  CHECK(vdso_clock != nullptr);
  CHECK(vdso_day != nullptr);
  CHECK(vdso_time != nullptr);
  CHECK(vdso_cpu != nullptr);
  CHECK(reinterpret_cast<uintptr_t>(vdso.base) % 4096 == 0);
}

TEST(clocks_agree_with_the_system_calls) {
  for (clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
                          CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_TAI}) {
    for (int i = 0; i < 50; ++i) {
      long before = asked(clock), here = read_here(clock), after = asked(clock);
      if (!CHECK(before <= here && here <= after)) {
        check::say("  clock %d: %ld %ld %ld\n", clock, before, here, after);
        break;
      }
    }
  }
}

TEST(time_never_goes_back) {
  for (clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
    long last = read_here(clock), first = last;
    for (int i = 0; i < 20000; ++i) {
      long now = read_here(clock);
      if (!CHECK(now >= last)) break;
      last = now;
    }
    CHECK(last > first);
  }
}

TEST(other_clocks_are_asked_of_the_kernel) {
  for (clockid_t clock : {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID}) {
    long before = asked(clock), here = read_here(clock), after = asked(clock);
    CHECK(before >= 0 && before <= here && here <= after);
  }
  timespec time;
  CHECK_EQ(vdso_clock(99, &time), -EINVAL);
  CHECK_EQ(vdso_clock(12345, &time), -EINVAL);
}

TEST(time_of_day) {
  timeval before, here, after;
  struct timezone zone = {1, 1};
  syscall(SYS_gettimeofday, &before, nullptr);
  CHECK_EQ(vdso_day(&here, &zone), 0);
  syscall(SYS_gettimeofday, &after, nullptr);
  CHECK(!timercmp(&here, &before, <) && !timercmp(&after, &here, <));
  CHECK_EQ(zone.tz_minuteswest, 0);
  CHECK_EQ(zone.tz_dsttime, 0);
  CHECK_EQ(vdso_day(nullptr, nullptr), 0);

  time_t stored = 0, first = syscall(SYS_time, nullptr);
  long now = vdso_time(&stored);
  CHECK(first <= now && now <= syscall(SYS_time, nullptr));
  CHECK_EQ(stored, now);
  CHECK(vdso_time(nullptr) >= now);
}

TEST(cpu_number) {
  unsigned cpu = 99999, node = 99999;
  CHECK_EQ(vdso_cpu(&cpu, &node, nullptr), 0);
  CHECK(cpu < 4096);
  CHECK(node < 4096);
  CHECK_EQ(vdso_cpu(nullptr, nullptr, nullptr), 0);
}

TEST(library_calls_use_it) {
  timespec time;
  CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &time), 0);
  CHECK(read_here(CLOCK_MONOTONIC) >= time.tv_sec * second + time.tv_nsec);
  CHECK_ERRNO(clock_gettime(99, &time), EINVAL);
}

TEST(bad_pointers_are_the_callers_fault) {
  CHECK_KILLED(check::in_child([] { return (int)vdso_clock(CLOCK_MONOTONIC, (timespec*)8); }),
               SIGSEGV);
}

TEST(cannot_be_written) {
  CHECK_KILLED(check::in_child([] {
                 *const_cast<volatile char*>(vdso.base) = 1;
                 return 0;
               }),
               SIGSEGV);
}

TEST(children_and_programs_have_it) {
  long before = read_here(CLOCK_MONOTONIC);
  int status = check::in_child([&] { return read_here(CLOCK_MONOTONIC) >= before ? 5 : 6; });
  CHECK_EXITED(status, 5);
  status = check::in_child([] {
    char* const arguments[] = {const_cast<char*>(check::self_path), const_cast<char*>("--helper"),
                               nullptr};
    execv(check::self_path, arguments);
    return 1;
  });
  CHECK_EXITED(status, 7);
}

TEST(can_be_unmapped) {
  CHECK_KILLED(check::in_child([] {
                 // Newer Linux may seal it: then there is nothing to see.
                 if (munmap(const_cast<char*>(vdso.base), 4096) != 0) raise(SIGSEGV);
                 return (int)*const_cast<volatile char*>(vdso.base);
               }),
               SIGSEGV);
  CHECK(read_here(CLOCK_MONOTONIC) > 0);
}

int helper(int, char**) {
  return vdso_clock && read_here(CLOCK_MONOTONIC) > 0 && time(nullptr) > 1'000'000'000 ? 7 : 8;
}
