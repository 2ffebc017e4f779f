// Program loading: good ELF files, scripts, and every way to damage a header that we could think
// of.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "guest/exec/elf_image.h"
#include "guest/exec/exec_load.h"
#include "guest/exec/initial_stack.h"
#include "guest/mm/user.h"
#include "tests/unit/guest/fake_platform.h"
#include "tests/unit/guest/invariants.h"
#include "tests/unit/guest/memory_file.h"

namespace {

using guest::AddressSpace;
using guest::Errno;
using guest::Ref;
using guest::String;
using guest::Vec;
using guest_test::FakePlatform;
using guest_test::MemoryFile;

constexpr std::uint64_t page = vmi::page_size;

struct Header {
  std::uint8_t identity[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  std::uint16_t type = 2, machine = 62;
  std::uint32_t version = 1;
  std::uint64_t entry = 0x401000, program_headers = 64, section_headers = 0;
  std::uint32_t flags = 0;
  std::uint16_t header_bytes = 64, program_header_bytes = 56, program_header_count = 2;
  std::uint16_t section_header_bytes = 0, section_header_count = 0, section_names = 0;
};
struct Program {
  std::uint32_t type = 1, flags = 5;
  std::uint64_t offset = 0, va = 0x400000, physical = 0, file_bytes = 0x1800, memory_bytes = 0x1800,
                alignment = 0x1000;
};

/// Text of a page and a half; data that begins in the middle of a page and has three pages of bss.
struct Elf {
  Header header;
  std::vector<Program> programs = {
      {},
      {.flags = 6, .offset = 0x1800, .va = 0x402800, .file_bytes = 0x900, .memory_bytes = 0x3900}};
  std::size_t file_bytes = 0x2100;

  [[nodiscard]] std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> result(file_bytes, 0xcc);
    auto put = [&](std::size_t at, const void* from, std::size_t size) {
      for (std::size_t i = 0; i < size && at + i < result.size(); ++i) {
        result[at + i] = static_cast<const std::uint8_t*>(from)[i];
      }
    };
    put(0, &header, sizeof header);
    for (std::size_t i = 0; i < programs.size(); ++i) put(64 + i * 56, &programs[i], 56);
    return result;
  }
};

Vec<String> strings(std::initializer_list<const char*> texts) {
  Vec<String> result;
  for (const char* text : texts) (void)result.push(String::from(text).release());
  return result;
}

class ElfTest : public ::testing::Test {
 protected:
  ElfTest() : frames_(guest::frames_free().number) {}
  void TearDown() override {
    AddressSpace::deactivate();
    EXPECT_EQ(guest::frames_free().number, frames_);
    EXPECT_TRUE(platform_.spaces.empty());
  }
  static guest::Result<guest::LoadedProgram> load_given(const Ref<guest::Inode>& file,
                                                        const Vec<String>& argv,
                                                        const Vec<String>& envp,
                                                        std::string_view path) {
    guest::ProgramStrings given(guest::stack_limit / 4);
    TRY(given.push(argv));
    TRY(given.push(envp));
    TRY(given.push(path));
    return guest::load_program({{file, {}}, path, guest::last_part(path), given, argv.size()}, {});
  }
  static guest::Result<guest::LoadedProgram> load(const std::vector<std::uint8_t>& bytes) {
    return load_given(Ref<guest::Inode>(new MemoryFile(bytes)), strings({"prog", "-x", "a b"}),
                      strings({"A=1", "B=2"}), "/bin/prog");
  }
  static Errno load_error(const Elf& elf) { return load(elf.bytes()).error(); }
  std::uint64_t word(std::uint64_t va) { return guest::get_user<std::uint64_t>({va}).release(); }
  std::string text(std::uint64_t va) {
    return std::string(guest::string_from_user({va}).release().view());
  }

  FakePlatform platform_;
  std::uint32_t frames_;
};

TEST_F(ElfTest, LoadsSegmentsAndClearsBss) {
  auto program = load(Elf{}.bytes());
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program.value().entry, 0x401000u);
  EXPECT_EQ(AddressSpace::current(), program.value().space.get());
  EXPECT_EQ(platform_.load(0x400000), 0x7f);
  EXPECT_EQ(platform_.load(0x402800), 0xcc);
  EXPECT_EQ(platform_.load(0x402800 + 0x8ff), 0xcc);
  EXPECT_EQ(platform_.load(0x402800 + 0x900), 0);
  EXPECT_EQ(platform_.load(0x402800 + 0x38ff), 0);
  platform_.store(0x402800 + 0x3000, 1);
  EXPECT_THROW(platform_.store(0x400000, 1), guest_test::FaultFailed);
  EXPECT_EQ(program.value().space->set_brk(0), 0x407000u);
}

TEST_F(ElfTest, StackFollowsTheAbi) {
  platform_.boot_info.hwcap = 0x1234;
  auto program = load(Elf{}.bytes());
  ASSERT_TRUE(program.ok());
  std::uint64_t sp = program.value().stack_pointer;
  EXPECT_EQ(sp % 16, 0u);
  EXPECT_EQ(word(sp), 3u);
  EXPECT_EQ(text(word(sp + 8)), "prog");
  EXPECT_EQ(text(word(sp + 16)), "-x");
  EXPECT_EQ(text(word(sp + 24)), "a b");
  EXPECT_EQ(word(sp + 32), 0u);
  EXPECT_EQ(text(word(sp + 40)), "A=1");
  EXPECT_EQ(text(word(sp + 48)), "B=2");
  EXPECT_EQ(word(sp + 56), 0u);
  std::map<std::uint64_t, std::uint64_t> auxiliary;
  for (std::uint64_t at = sp + 64; word(at); at += 16) auxiliary[word(at)] = word(at + 8);
  EXPECT_EQ(auxiliary.at(3), 0x400040u);  // AT_PHDR
  EXPECT_EQ(auxiliary.at(4), 56u);
  EXPECT_EQ(auxiliary.at(5), 2u);
  EXPECT_EQ(auxiliary.at(6), 4096u);
  EXPECT_EQ(auxiliary.at(9), 0x401000u);
  EXPECT_EQ(auxiliary.at(16), 0x1234u);
  EXPECT_EQ(text(auxiliary.at(31)), "/bin/prog");
  EXPECT_EQ(text(auxiliary.at(15)), "x86_64");
  EXPECT_TRUE(auxiliary.count(25));
}

TEST_F(ElfTest, StaticPieIsMovedUp) {
  Elf elf;
  elf.header.type = 3;
  elf.header.entry = 0x1000;
  elf.programs[0].va = 0;
  elf.programs[1].va = 0x2800;
  auto program = load(elf.bytes());
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program.value().entry, guest::pie_base + 0x1000);
  EXPECT_EQ(platform_.load(guest::pie_base + 0x2800), 0xcc);
}

/// A program that names a dynamic linker: its name lies in the first segment, at 0x200.
struct DynamicElf : Elf {
  std::string name = std::string("/lib64/ld.so") + '\0';

  DynamicElf() {
    header.program_header_count = 3;
    programs.push_back({.type = 3, .flags = 4, .offset = 0x200});
    describe();
  }
  void describe() { programs[2].file_bytes = programs[2].memory_bytes = name.size(); }
  [[nodiscard]] guest::Result<guest::ElfImage> read(guest::ElfRole role) const {
    std::vector<std::uint8_t> content = bytes();
    std::copy(name.begin(), name.end(), content.begin() + 0x200);
    MemoryFile file(content);
    file.retain();
    return guest::read_elf(file, role);
  }
};

TEST_F(ElfTest, NamesItsDynamicLinker) {
  DynamicElf elf;
  auto program = elf.read(guest::ElfRole::program);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(program.value().interpreter.view(), "/lib64/ld.so");
  EXPECT_EQ(program.value().segments.size(), 2u);
  auto interpreter = elf.read(guest::ElfRole::interpreter);
  ASSERT_TRUE(interpreter.ok());
  EXPECT_EQ(interpreter.value().interpreter.view(), "");
}

TEST_F(ElfTest, DynamicLinkersGoToTheTopOfTheMmapArea) {
  DynamicElf elf;
  elf.header.type = 3;
  elf.header.entry = 0x1000;
  elf.programs[0].va = 0;
  elf.programs[1].va = 0x2800;
  auto image = elf.read(guest::ElfRole::interpreter);
  ASSERT_TRUE(image.ok());
  std::uint64_t bias = guest::mmap_top - 0x7000;
  EXPECT_EQ(image.value().bias, bias);
  EXPECT_EQ(image.value().entry, bias + 0x1000);
  EXPECT_EQ(image.value().segments[0].va, bias);
  EXPECT_EQ(image.value().end(), bias + 0x6100);
  elf.programs[1].memory_bytes = ~0ull - 0x100;
  EXPECT_EQ(elf.read(guest::ElfRole::interpreter).error(), Errno::noexec);
}

TEST_F(ElfTest, AbsurdNamesOfDynamicLinkers) {
  const std::pair<const char*, std::function<void(DynamicElf&)>> damages[] = {
      {"empty", [](DynamicElf& e) { e.programs[2].file_bytes = 0; }},
      {"only the NUL", [](DynamicElf& e) { e.programs[2].file_bytes = 1; }},
      {"begins with the NUL", [](DynamicElf& e) { e.name[0] = '\0'; }},
      {"not terminated", [](DynamicElf& e) { e.programs[2].file_bytes -= 1; }},
      {"too long", [](DynamicElf& e) { e.programs[2].file_bytes = 4097; }},
      {"outside", [](DynamicElf& e) { e.programs[2].offset = 0x20fe; }},
      {"wraps", [](DynamicElf& e) { e.programs[2].offset = ~0ull - 4; }},
      {"two of them",
       [](DynamicElf& e) {
         e.programs.push_back(e.programs[2]);
         e.header.program_header_count = 4;
       }},
  };
  for (const auto& [name, damage] : damages) {
    DynamicElf elf;
    damage(elf);
    EXPECT_EQ(elf.read(guest::ElfRole::program).error(), Errno::noexec) << name;
  }
}

TEST_F(ElfTest, NotPrograms) {
  EXPECT_EQ(load({}).error(), Errno::noexec);
  EXPECT_EQ(load({'#'}).error(), Errno::noexec);
  EXPECT_EQ(load({'#', '!', '\n'}).error(), Errno::noexec);
  EXPECT_EQ(load(std::vector<std::uint8_t>(5000, 'x')).error(), Errno::noexec);
  auto* file = new MemoryFile(Elf{}.bytes());
  Ref<guest::Inode> inode(file);
  file->file_mode = guest::mode_regular | 0644;
  EXPECT_EQ(load_given(inode, strings({"x"}), strings({}), "x").error(), Errno::acces);
  file->file_mode = guest::mode_directory | 0755;
  EXPECT_EQ(load_given(inode, strings({"x"}), strings({}), "x").error(), Errno::acces);
}

TEST_F(ElfTest, TruncatedAnywhere) {
  std::vector<std::uint8_t> whole = Elf{}.bytes();
  for (std::size_t size = 0; size < whole.size(); size += size < 256 ? 1 : 61) {
    auto program = load({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_EQ(program.error(), Errno::noexec) << size;
  }
}

TEST_F(ElfTest, ContradictoryHeaders) {
  const std::pair<const char*, std::function<void(Elf&)>> damages[] = {
      {"32 bit", [](Elf& e) { e.header.identity[4] = 1; }},
      {"big endian", [](Elf& e) { e.header.identity[5] = 2; }},
      {"identity version", [](Elf& e) { e.header.identity[6] = 0; }},
      {"relocatable", [](Elf& e) { e.header.type = 1; }},
      {"core", [](Elf& e) { e.header.type = 4; }},
      {"machine", [](Elf& e) { e.header.machine = 183; }},
      {"version", [](Elf& e) { e.header.version = 2; }},
      {"no headers", [](Elf& e) { e.header.program_header_count = 0; }},
      {"too many headers", [](Elf& e) { e.header.program_header_count = 0xffff; }},
      {"header size", [](Elf& e) { e.header.program_header_bytes = 32; }},
      {"headers outside", [](Elf& e) { e.header.program_headers = 0x10000; }},
      {"headers wrap", [](Elf& e) { e.header.program_headers = ~0ull - 8; }},
      {"nothing to load", [](Elf& e) { e.programs[0].type = e.programs[1].type = 4; }},
      {"interpreter", [](Elf& e) { e.programs[1].type = 3; }},
      {"entry in the kernel", [](Elf& e) { e.header.entry = vmi::window_base; }},
      {"entry at 0", [](Elf& e) { e.header.entry = 0; }},
      {"file larger than memory", [](Elf& e) { e.programs[1].memory_bytes = 0x100; }},
      {"offset and address differ", [](Elf& e) { e.programs[1].va += 1; }},
      {"segment outside the file", [](Elf& e) { e.programs[1].offset += 0x10000; }},
      {"file bytes wrap", [](Elf& e) { e.programs[1].file_bytes = ~0ull - 0x100; }},
      {"memory wraps", [](Elf& e) { e.programs[1].memory_bytes = ~0ull - 0x100; }},
      {"address 0", [](Elf& e) { e.programs[0].va = 0; }},
      {"address in the kernel", [](Elf& e) { e.programs[1].va = vmi::window_base + 0x800; }},
      {"address wraps", [](Elf& e) { e.programs[1].va = ~0ull - 0x7ff; }},
      {"over the stack", [](Elf& e) { e.programs[1].va = guest::mmap_top + 0x800; }},
      {"overlap", [](Elf& e) { e.programs[1].va = 0x401800; }},
      {"descending", [](Elf& e) { std::swap(e.programs[0], e.programs[1]); }},
  };
  for (const auto& [name, damage] : damages) {
    Elf elf;
    damage(elf);
    EXPECT_EQ(load_error(elf), Errno::noexec) << name;
    EXPECT_EQ(AddressSpace::current(), nullptr) << name;
  }
}

TEST_F(ElfTest, AbsurdBssIsNoMemory) {
  Elf elf;
  elf.programs[1].memory_bytes = 1ull << 40;
  EXPECT_EQ(load_error(elf), Errno::nomem);
}

TEST_F(ElfTest, RandomDamageNeverHurtsTheKernel) {
  std::mt19937 random(3);
  std::vector<std::uint8_t> good = Elf{}.bytes();
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::uint8_t> bad = good;
    for (int n = 1 + static_cast<int>(random() % 4); n > 0; --n) {
      bad[random() % (64 + 2 * 56)] = static_cast<std::uint8_t>(random() % 3 ? random() : 0xff);
    }
    (void)load(bad);  // whatever it says: no panic, no leak, nothing out of bounds
    AddressSpace::deactivate();
    ASSERT_EQ(guest::frames_free().number, frames_);
  }
}

TEST_F(ElfTest, FailureBringsTheOldSpaceBack) {
  auto old = AddressSpace::create().release();
  old->activate();
  Elf elf;
  elf.programs[1].memory_bytes = 1ull << 40;
  EXPECT_EQ(load_error(elf), Errno::nomem);
  EXPECT_EQ(AddressSpace::current(), old.get());
}

TEST_F(ElfTest, AHostThatRefusesAnyCall) {
  bool refused = true;
  for (int n = 0; refused; ++n) {
    SCOPED_TRACE(n);
    auto old = AddressSpace::create().release();
    old->activate();
    platform_.failures = 0;
    platform_.mapping_calls_left = n;
    platform_.failure_lasts = n % 2;
    platform_.applied = guest_test::Applied::half;
    auto program = load(Elf{}.bytes());
    platform_.mapping_calls_left = -1;
    refused = platform_.failures > 0;
    if (!program.ok()) {
      EXPECT_TRUE(refused);
      EXPECT_EQ(program.error(), Errno::nomem);
      EXPECT_EQ(AddressSpace::current(), old.get());
    } else {
      EXPECT_EQ(platform_.load(0x402800), 0xcc);
      EXPECT_EQ(platform_.load(0x402800 + 0x900), 0);
      EXPECT_EQ(word(program.value().stack_pointer), 3u);
    }
    EXPECT_EQ(guest_test::Invariants::broken({AddressSpace::current()}), "");
    AddressSpace::deactivate();
  }
}

TEST_F(ElfTest, TooManyArguments) {
  std::string longest(130 * 1024, 'x'), usual(100 * 1024, 'y');
  Ref<guest::Inode> file(new MemoryFile(Elf{}.bytes()));
  EXPECT_EQ(load_given(file, strings({longest.c_str()}), strings({}), "x").error(), Errno::toobig);
  Vec<String> many;
  for (int i = 0; i < 30; ++i) (void)many.push(String::from(usual).release());
  EXPECT_EQ(load_given(file, many, strings({}), "x").error(), Errno::toobig);
  Vec<String> fitting;
  for (int i = 0; i < 15; ++i) (void)fitting.push(String::from(usual).release());
  EXPECT_TRUE(load_given(file, fitting, strings({}), "x").ok());
}

}  // namespace
