// Reports of dead guest kernels: made-up stacks in a real window with the real guest kernel, and
// plenty of garbage, which must end in a short report and never in a crash.
#include <cxxabi.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "monitor/guest/elf_image.h"
#include "monitor/guest/memory.h"

namespace monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string demangled(const std::string& name) {
  int status = 0;
  char* plain = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  std::string text = status == 0 ? plain : name;
  std::free(plain);
  return text;
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

class DescribeDeath : public testing::Test {
 protected:
  static constexpr std::uint64_t stack = vmi::window_end - 0x8000;

  void SetUp() override { memory.load_image(kernel_image(), vmi::kernel_base, vmi::window_end); }

  struct Function {
    std::uint64_t entry;
    std::string name;
  };
  /// The first few C++ functions of the guest kernel: the compiler wrote unwind tables for them.
  static std::vector<Function> functions(std::size_t wanted) {
    ElfImage kernel(kernel_image(), "guest kernel");
    std::vector<Function> list;
    for (const ElfSegment& segment : kernel.segments()) {
      for (std::uint64_t at = segment.address; at < segment.address + segment.file_bytes.size();
           ++at) {
        auto symbol = kernel.symbol(at);
        if (!symbol || symbol->offset != 0 || !symbol->name.starts_with("_Z")) continue;
        auto next = kernel.symbol(at + 1);
        if (!next || next->offset != 1) continue;
        list.push_back({at, demangled(std::string(symbol->name))});
        if (list.size() == wanted) return list;
      }
    }
    return list;
  }
  void put(std::uint64_t address, std::uint64_t value) {
    std::memcpy(memory.at(address), &value, sizeof value);
  }
  std::string describe() { return describe_death(memory, "the message", registers, {}); }

  GuestMemory memory{vmi::ram_min};
  KernelRegisters registers{};
};

TEST_F(DescribeDeath, GivesMessageAndRegisters) {
  registers.rip = 0x1234;
  registers.r15 = 0xfeedface;
  std::string text = describe();
  EXPECT_THAT(text, HasSubstr("the message\n"));
  EXPECT_THAT(text, HasSubstr("rip 0000000000001234"));
  EXPECT_THAT(text, HasSubstr("r15 00000000feedface"));
}

TEST_F(DescribeDeath, UnwindsAndNamesFunctions) {
  auto chain = functions(4);
  ASSERT_EQ(chain.size(), 4u);
  // On its first instruction a function has pushed nothing: the stack is return addresses only.
  registers.rip = chain[0].entry;
  registers.rsp = stack;
  for (std::size_t i = 1; i < chain.size(); ++i) put(stack + 8 * (i - 1), chain[i].entry + 1);
  std::string text = describe();
  std::size_t from = 0;
  for (const Function& function : chain) {
    std::size_t found = text.find(function.name, from);
    EXPECT_NE(found, std::string::npos) << function.name << " in:\n" << text;
    from = found;
  }
  EXPECT_THAT(text, HasSubstr(chain[0].name + "+0x0"));
  EXPECT_THAT(text, HasSubstr(chain[3].name + "+0x1"));
  EXPECT_THAT(text, Not(HasSubstr("#4")));
}

TEST_F(DescribeDeath, ACallThroughABadPointerShowsItsCaller) {
  auto chain = functions(2);
  ASSERT_EQ(chain.size(), 2u);
  registers.rip = 0;
  registers.rsp = stack;
  put(stack, chain[0].entry + 1);
  put(stack + 8, chain[1].entry + 1);
  std::string text = describe();
  EXPECT_THAT(text, HasSubstr("neither guest kernel nor monitor"));
  EXPECT_THAT(text, HasSubstr(chain[0].name));
  EXPECT_THAT(text, HasSubstr(chain[1].name));
}

TEST_F(DescribeDeath, OverwrittenUnwindTablesDoNotMatter) {
  auto chain = functions(2);
  ASSERT_EQ(chain.size(), 2u);
  std::memset(memory.at(vmi::kernel_base), 0xff, stack - vmi::kernel_base);
  registers.rip = chain[0].entry;
  registers.rsp = stack;
  put(stack, chain[1].entry + 1);
  EXPECT_THAT(describe(), HasSubstr(chain[1].name));
}

TEST_F(DescribeDeath, EndlessStacksAreCut) {
  auto chain = functions(1);
  ASSERT_EQ(chain.size(), 1u);
  registers.rip = chain[0].entry;
  registers.rsp = stack;
  for (std::uint64_t at = stack; at < vmi::window_end; at += 8) put(at, chain[0].entry + 1);
  EXPECT_LT(lines(describe()), 64u + 10u);
}

TEST_F(DescribeDeath, GarbageNeverCrashes) {
  std::mt19937_64 random(1);
  auto chain = functions(16);
  ASSERT_FALSE(chain.empty());
  auto word = [&]() -> std::uint64_t {
    switch (random() % 5) {
      case 0:
        return random();
      case 1:
        return vmi::window_base + random() % vmi::window_size;
      case 2:
        return stack + random() % 0x8000;
      case 3:
        return chain[random() % chain.size()].entry + random() % 64;
      default:
        return random() % 2 ? ~0ul - random() % 16 : random() % 16;
    }
  };
  for (int round = 0; round < 300; ++round) {
    for (std::uint64_t at = stack; at < stack + 0x400; at += 8) put(at, word());
    std::uint64_t values[sizeof registers / 8];
    for (std::uint64_t& value : values) value = word();
    std::memcpy(&registers, values, sizeof registers);
    EXPECT_LT(lines(describe()), 64u + 10u);
  }
}

TEST_F(DescribeDeath, ABrokenResidentImageDoesNotMatter) {
  std::byte garbage[100] = {};
  EXPECT_THAT(describe_death(memory, "the message", registers, garbage), HasSubstr("the message"));
}

}  // namespace
}  // namespace monitor
