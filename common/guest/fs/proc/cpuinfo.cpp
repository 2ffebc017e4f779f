// /proc/cpuinfo: the one CPU as programs see it, by CPUID, which guests execute themselves and
// which says the same to them.
#include <cpuid.h>

#include "guest/base/clock.h"
#include "guest/fs/proc/machine.h"
#include "guest/fs/proc/node.h"
#include "guest/platform.h"

namespace guest {
namespace {

struct Registers {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

/// Zeros where the CPU has no such leaf.
Registers cpuid(std::uint32_t leaf, std::uint32_t part = 0) {
  Registers r;
  __get_cpuid_count(leaf, part, &r.a, &r.b, &r.c, &r.d);
  return r;
}

/// Where a feature is told, and Linux's name for it. Those of use to programs in user mode.
struct Feature {
  std::uint32_t leaf, part;
  std::uint32_t Registers::*in;
  int bit;
  const char* name;
};
constexpr auto a = &Registers::a, b = &Registers::b, c = &Registers::c, d = &Registers::d;
constexpr std::uint32_t extended = 0x80000001, power = 0x80000007;
constexpr Feature features[] = {
    {1, 0, d, 0, "fpu"},
    {1, 0, d, 4, "tsc"},
    {1, 0, d, 8, "cx8"},
    {1, 0, d, 15, "cmov"},
    {1, 0, d, 19, "clflush"},
    {1, 0, d, 23, "mmx"},
    {1, 0, d, 24, "fxsr"},
    {1, 0, d, 25, "sse"},
    {1, 0, d, 26, "sse2"},
    {extended, 0, d, 11, "syscall"},
    {extended, 0, d, 20, "nx"},
    {extended, 0, d, 27, "rdtscp"},
    {extended, 0, d, 29, "lm"},
    {power, 0, d, 8, "constant_tsc"},
    {1, 0, c, 0, "pni"},
    {1, 0, c, 1, "pclmulqdq"},
    {1, 0, c, 9, "ssse3"},
    {1, 0, c, 12, "fma"},
    {1, 0, c, 13, "cx16"},
    {1, 0, c, 19, "sse4_1"},
    {1, 0, c, 20, "sse4_2"},
    {1, 0, c, 22, "movbe"},
    {1, 0, c, 23, "popcnt"},
    {1, 0, c, 25, "aes"},
    {1, 0, c, 26, "xsave"},
    {1, 0, c, 28, "avx"},
    {1, 0, c, 29, "f16c"},
    {1, 0, c, 30, "rdrand"},
    {1, 0, c, 31, "hypervisor"},
    {extended, 0, c, 0, "lahf_lm"},
    {extended, 0, c, 5, "abm"},
    {extended, 0, c, 6, "sse4a"},
    {extended, 0, c, 8, "3dnowprefetch"},
    {7, 0, b, 0, "fsgsbase"},
    {7, 0, b, 3, "bmi1"},
    {7, 0, b, 5, "avx2"},
    {7, 0, b, 8, "bmi2"},
    {7, 0, b, 9, "erms"},
    {7, 0, b, 16, "avx512f"},
    {7, 0, b, 17, "avx512dq"},
    {7, 0, b, 18, "rdseed"},
    {7, 0, b, 19, "adx"},
    {7, 0, b, 21, "avx512ifma"},
    {7, 0, b, 23, "clflushopt"},
    {7, 0, b, 24, "clwb"},
    {7, 0, b, 28, "avx512cd"},
    {7, 0, b, 29, "sha_ni"},
    {7, 0, b, 30, "avx512bw"},
    {7, 0, b, 31, "avx512vl"},
    {13, 1, a, 0, "xsaveopt"},
    {13, 1, a, 1, "xsavec"},
    {13, 1, a, 2, "xgetbv1"},
    {7, 0, c, 1, "avx512vbmi"},
    {7, 0, c, 3, "pku"},
    {7, 0, c, 4, "ospke"},
    {7, 0, c, 6, "avx512_vbmi2"},
    {7, 0, c, 8, "gfni"},
    {7, 0, c, 9, "vaes"},
    {7, 0, c, 10, "vpclmulqdq"},
    {7, 0, c, 11, "avx512_vnni"},
    {7, 0, c, 12, "avx512_bitalg"},
    {7, 0, c, 14, "avx512_vpopcntdq"},
    {7, 0, c, 22, "rdpid"},
    {7, 0, d, 4, "fsrm"},
};

/// The name's bytes as the registers hold them.
void put_name(char*& to, std::initializer_list<std::uint32_t> registers) {
  for (std::uint32_t word : registers) {
    __builtin_memcpy(to, &word, sizeof word);
    to += sizeof word;
  }
}

Result<> add_names(String& text) {
  char vendor[13] = {}, model[49] = {};
  char* to = vendor;
  const Registers who = cpuid(0);
  put_name(to, {who.b, who.d, who.c});
  to = model;
  for (std::uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
    const Registers part = cpuid(leaf);
    put_name(to, {part.a, part.b, part.c, part.d});
  }
  const std::uint32_t id = cpuid(1).a;
  const std::uint32_t base_family = id >> 8 & 15;
  const std::uint32_t family = base_family == 15 ? base_family + (id >> 20 & 255) : base_family;
  const std::uint32_t number = (id >> 4 & 15) | (family >= 6 ? id >> 12 & 0xf0 : 0);
  TRY(add(text, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", vendor,
          family, number));
  return add(text, "model name\t: %s\nstepping\t: %u\n", model, id & 15);
}

}  // namespace

Result<String> machine_cpuinfo() {
  String text;
  TRY(add_names(text));
  const std::uint64_t khz =
      ns_per_second / 1000 * (std::uint64_t{1} << 20) / ticks_to_ns(std::uint64_t{1} << 20);
  TRY(add(text, "cpu MHz\t\t: %lu.%03lu\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\n",
          khz / 1000, khz % 1000));
  TRY(add(text, "cpu cores\t: 1\napicid\t\t: 0\ninitial apicid\t: 0\nfpu\t\t: yes\n"));
  TRY(add(text, "fpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:", cpuid(0).a));
  for (const Feature& feature : features)
    if (cpuid(feature.leaf, feature.part).*feature.in >> feature.bit & 1)
      TRY(add(text, " %s", feature.name));
  TRY(add(text, "\nbogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: 64\n", khz / 500,
          khz / 5 % 100, (cpuid(1).b >> 8 & 255) * 8));
  const std::uint32_t sizes = cpuid(0x80000008).a;
  TRY(add(text, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
          sizes & 255, sizes >> 8 & 255));
  return text;
}

}  // namespace guest
