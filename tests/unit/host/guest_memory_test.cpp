// Guest memory: its sizes and errors, the window's layout, image loading with broken images, the
// time scale, counters by name, and what prepare_guest leaves behind.
#include "monitor/guest/memory.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include <cstring>
#include <map>
#include <vector>

#include "monitor/guest/filler.h"
#include "monitor/machine/accounting.h"
#include "monitor/machine/clock.h"
#include "monitor/machine/time_scale.h"
#include "monitor/tool/error.h"
#include "vmi/boot_tree.h"

namespace monitor {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t small = vmi::ram_min;

template <class F>
std::string host_error(F f) {
  try {
    f();
  } catch (const HostError& error) {
    return error.what();
  }
  return "no error";
}

TEST(GuestMemory, RefusesSizesOutOfRange) {
  EXPECT_THAT(host_error([] { GuestMemory memory(vmi::ram_min - vmi::page_size); }),
              HasSubstr("--memory takes 16 to 2048 MiB"));
  EXPECT_THAT(host_error([] { GuestMemory memory(vmi::ram_max + vmi::page_size); }),
              HasSubstr("--memory takes"));
  EXPECT_THAT(host_error([] { GuestMemory memory(vmi::ram_min + 1); }),
              HasSubstr("whole 4 KiB pages"));
}

TEST(GuestMemory, WindowAtticAndRamInOneFile) {
  GuestMemory memory(small);
  EXPECT_EQ(memory.total_bytes(), vmi::ram_offset + small);
  EXPECT_EQ(memory.at(vmi::window_base - 1), nullptr);
  EXPECT_EQ(memory.at(vmi::window_end), nullptr);
  EXPECT_EQ(memory.frame(0), memory.at(vmi::window_base) + vmi::ram_offset);
  const std::uint32_t slabs = memory.attic_slabs();
  EXPECT_EQ(slabs, 4u);
  EXPECT_EQ(GuestMemory(1ul << 30).attic_slabs() * vmi::attic_slab_bytes, 128ul << 20);
  for (std::uint32_t slab = 0; slab < slabs; ++slab) {
    EXPECT_EQ(memory.at(vmi::attic_slab(slab)) - memory.at(vmi::window_base),
              static_cast<std::ptrdiff_t>(vmi::attic_slab(slab) - vmi::window_base));
    EXPECT_EQ(memory.at(vmi::attic_slab(slab) + vmi::attic_slab_bytes), nullptr);
  }
  EXPECT_EQ(memory.at(vmi::attic_slab(slabs)), nullptr);
  EXPECT_EQ(memory.frame(3), memory.frame(0) + 3 * vmi::page_size);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.at(vmi::window_base)) % vmi::huge_page_size,
            0u);
  std::uint32_t value = 0x12345678, read_back = 0;
  std::memcpy(memory.frame(2), &value, sizeof value);
  ASSERT_EQ(pread(memory.fd(), &read_back, sizeof read_back, vmi::frame_offset(2)),
            static_cast<ssize_t>(sizeof read_back));
  EXPECT_EQ(read_back, value);
}

TEST(GuestMemory, PrefaultKeepsContents) {
  GuestMemory memory(small);
  memory.shared_info().magic = 42;
  *memory.frame(1) = std::byte{7};
  EXPECT_GE(memory.prefault(), 0.0);
  EXPECT_EQ(memory.shared_info().magic, 42u);
  EXPECT_EQ(*memory.frame(1), std::byte{7});
  EXPECT_EQ(*memory.frame(2), std::byte{0});
}

/// Bytes of it that the host has given memory to.
std::uint64_t resident(const GuestMemory& memory) {
  struct stat status {};
  EXPECT_EQ(fstat(memory.fd(), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

TEST(GuestMemory, IsFilledBeforeOrAheadOrOnDemand) {
  constexpr std::uint64_t ram = 96ul << 20;
  std::map<Fill, std::uint64_t> filled;
  for (const Fill fill : {Fill::before, Fill::ahead, Fill::demand}) {
    GuestMemory memory(ram);
    memory.prefault(fill);
    filled[fill] = resident(memory);
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    *memory.frame(9000) = std::byte{7};
    Filler filler(memory, fill, cpus);
    filler.wait();
    if (fill != Fill::demand) {
      EXPECT_EQ(resident(memory), filled[Fill::before]);
    }
    EXPECT_EQ(*memory.frame(9000), std::byte{7});
  }
  EXPECT_EQ(filled[Fill::before] - filled[Fill::demand], ram);
  EXPECT_EQ(filled[Fill::ahead] - filled[Fill::demand], 32ul << 20);
}

TEST(GuestMemory, AFillerEndsWhenItIsNotNeeded) {
  GuestMemory memory(1ul << 30);
  memory.prefault(Fill::ahead);
  cpu_set_t cpus;
  sched_getaffinity(0, sizeof cpus, &cpus);
  { const Filler filler(memory, Fill::ahead, cpus); }
  EXPECT_LT(resident(memory), memory.total_bytes());
}

// -- Images.

/// A minimal executable of one segment, to be broken by each test.
struct MadeUpImage {
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};
  char text[16] = "segment of text";

  explicit MadeUpImage(std::uint64_t address) {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof segment;
    header.e_phnum = 1;
    segment.p_type = PT_LOAD;
    segment.p_vaddr = address;
    segment.p_offset = offsetof(MadeUpImage, text);
    segment.p_filesz = sizeof text;
    segment.p_memsz = 64;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(this), sizeof *this};
  }
};

class LoadImage : public testing::Test {
 protected:
  std::string load() {
    return host_error(
        [&] { memory.load_image(image.bytes(), vmi::resident_base, vmi::kernel_base); });
  }
  GuestMemory memory{small};
  MadeUpImage image{vmi::resident_base + 16};
};

TEST_F(LoadImage, CopiesTheFileAndClearsTheRest) {
  std::memset(memory.at(vmi::resident_base), 0xff, 4096);
  EXPECT_EQ(load(), "no error");
  EXPECT_STREQ(reinterpret_cast<char*>(memory.at(vmi::resident_base + 16)), image.text);
  for (int i = sizeof image.text; i < 64; ++i) {
    EXPECT_EQ(*memory.at(vmi::resident_base + 16 + i), std::byte{0});
  }
  EXPECT_EQ(*memory.at(vmi::resident_base + 16 + 64), std::byte{0xff});
  EXPECT_EQ(*memory.at(vmi::resident_base + 15), std::byte{0xff});
}

TEST_F(LoadImage, RefusesWhatIsNoImage) {
  image.header.e_ident[0] = 'x';
  EXPECT_THAT(load(), HasSubstr("not an ELF image"));
  EXPECT_THAT(host_error([&] { memory.load_image({}, 0, 1); }), HasSubstr("too short"));
}

TEST_F(LoadImage, RefusesOtherMachinesAndRelocatableImages) {
  image.header.e_machine = EM_AARCH64;
  EXPECT_THAT(load(), HasSubstr("not an x86-64"));
  image.header.e_machine = EM_X86_64;
  image.header.e_type = ET_DYN;
  EXPECT_THAT(load(), HasSubstr("not linked to a fixed address"));
}

TEST_F(LoadImage, RefusesSegmentsOutsideTheirPlace) {
  image.segment.p_vaddr = vmi::resident_base - 1;
  EXPECT_THAT(load(), HasSubstr("does not fit"));
  image.segment.p_vaddr = vmi::kernel_base - 63;
  EXPECT_THAT(load(), HasSubstr("does not fit"));
  image.segment.p_vaddr = vmi::kernel_base - 64;
  EXPECT_EQ(load(), "no error");
}

TEST_F(LoadImage, RefusesAbsurdNumbers) {
  MadeUpImage good = image;
  image.header.e_phoff = ~0ul - 8;
  EXPECT_THAT(load(), HasSubstr("outside of the image"));
  image = good;
  image.header.e_phnum = 0xffff;
  EXPECT_THAT(load(), HasSubstr("outside of the image"));
  image = good;
  image.header.e_phentsize = 1;
  EXPECT_THAT(load(), HasSubstr("outside of the image"));
  image = good;
  image.header.e_shnum = 1;
  image.header.e_shoff = ~0ul;
  image.header.e_shentsize = sizeof(Elf64_Shdr);
  EXPECT_THAT(load(), HasSubstr("outside of the image"));
  image = good;
  image.segment.p_filesz = 65;
  EXPECT_THAT(load(), HasSubstr("outside of the image"));
  image = good;
  image.segment.p_offset = ~0ul;
  EXPECT_THAT(load(), HasSubstr("outside of the image"));
  image = good;
  image.segment.p_memsz = ~0ul - vmi::resident_base;
  EXPECT_THAT(load(), HasSubstr("outside of the image"));
  image = good;
  image.header.e_phnum = 0;
  EXPECT_THAT(load(), HasSubstr("nothing in it to load"));
}

TEST_F(LoadImage, RefusesATruncatedImage) {
  for (std::size_t length = 0; length < sizeof image; ++length) {
    EXPECT_NE(host_error([&] {
                memory.load_image(image.bytes().first(length), vmi::resident_base,
                                  vmi::kernel_base);
              }),
              "no error")
        << length;
  }
}

// -- Time.

/// Guest-machine processes hold the descriptor.
TEST(GuestMemory, KeepsItsSize) {
  GuestMemory memory(small);
  EXPECT_NE(ftruncate(memory.fd(), 0), 0);
  EXPECT_NE(ftruncate(memory.fd(), 2 * small), 0);
  char byte = 0;
  EXPECT_EQ(pwrite(memory.fd(), &byte, 1, static_cast<off_t>(memory.total_bytes())), -1);
  EXPECT_EQ(pwrite(memory.fd(), &byte, 1, static_cast<off_t>(memory.total_bytes() - 1)), 1);
}

TEST(TimeScale, AgreesWithTheHostsClock) {
  begin_time_calibration();
  vmi::TimeScale scale = measure_time_scale();
  EXPECT_GT(scale.mult, 0u);
  std::uint64_t before = monotonic_ns();
  std::uint64_t guest = scaled_monotonic_ns(scale, __rdtsc());
  std::uint64_t after = monotonic_ns();
  // Not a statement about speed: both clocks must mean the same moment, within calibration error.
  constexpr std::uint64_t slack = 1'000'000;
  EXPECT_GE(guest + slack, before);
  EXPECT_LE(guest, after + slack);
}

TEST(TimeScale, ProductsBeyond64BitsAreExact) {
  vmi::TimeScale scale{};
  scale.base_tsc = 100;
  scale.monotonic_ns = 5;
  scale.mult = 0x8000'0000;
  scale.shift = 32;  // half a nanosecond a tick
  EXPECT_EQ(scaled_monotonic_ns(scale, 100), 5u);
  EXPECT_EQ(scaled_monotonic_ns(scale, 100 + (1ul << 62)), 5 + (1ul << 61));
}

// -- Counters.

TEST(CollectCounters, NamesCountersAndUnknownCalls) {
  GuestMemory memory(small);
  memory.shared_info().counters.forks = 3;
  memory.shared_info().unknown_syscall[110] = 2;
  memory.shared_info().unknown_syscall[511] = 1;
  Outcome outcome;
  outcome.counters["forks"] = 1;
  collect_counters(memory, outcome);
  EXPECT_EQ(outcome.counters["forks"], 4u);
  EXPECT_TRUE(outcome.counters.contains("upcalls_syscall"));
  EXPECT_EQ(outcome.unknown_syscalls,
            (std::map<std::string, std::uint64_t>{{"getppid", 2}, {"syscall 511", 1}}));
}

// -- prepare_guest.

/// An image that begins with a hypercall table, as a resident part does.
struct MadeUpResident {
  MadeUpImage image{vmi::resident_base};
  vmi::Hypercalls table{};
  MadeUpResident() {
    table.magic = vmi::Hypercalls::magic_value;
    table.version = vmi::vmi_version;
    table.bytes = sizeof table;
    image.segment.p_offset = offsetof(MadeUpResident, table);
    image.segment.p_filesz = image.segment.p_memsz = sizeof table;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(this), sizeof *this};
  }
};

class PrepareGuest : public testing::Test {
 protected:
  PrepareGuest() {
    root.add_file("/program", "contents");
    config.root = &root;
    config.argv = {"/program"};
  }
  std::string prepare() {
    return host_error([&] { prepare_guest(memory, config, resident.bytes()); });
  }
  GuestMemory memory{small};
  MadeUpResident resident;
  RootTree root;
  MachineConfig config;
};

TEST_F(PrepareGuest, FillsWhatTheKernelExpects) {
  ASSERT_EQ(prepare(), "no error");
  const vmi::BootInfo& boot = memory.boot_info();
  EXPECT_EQ(boot.magic, vmi::BootInfo::magic_value);
  EXPECT_EQ(boot.version, vmi::vmi_version);
  EXPECT_EQ(boot.frames, small / vmi::page_size);
  EXPECT_LE(boot.boot_tree_frame + boot.boot_tree_frames, boot.frames);
  EXPECT_GE(boot.heap_begin, memory.kernel_header().image_end);
  EXPECT_EQ(boot.heap_begin % vmi::page_size, 0u);
  EXPECT_GT(boot.heap_end, boot.heap_begin);
  EXPECT_LE(boot.heap_end, vmi::window_end);
  EXPECT_GE(boot.xsave_bytes, 512u + 64u);
  const auto& tree =
      *reinterpret_cast<const vmi::BootTreeHeader*>(memory.frame(boot.boot_tree_frame));
  EXPECT_EQ(tree.magic, vmi::BootTreeHeader::magic_value);
  EXPECT_EQ(tree.total_bytes, boot.boot_tree_frames * vmi::page_size);
  EXPECT_EQ(memory.shared_info().magic, vmi::SharedInfo::magic_value);
  EXPECT_GT(memory.shared_info().time.monotonic_ns, 0u);
}

TEST_F(PrepareGuest, RefusesAResidentPartOfAnotherVersion) {
  resident.table.version = 99;
  EXPECT_THAT(prepare(), HasSubstr("another version"));
  resident.table.magic = 0;
  EXPECT_THAT(prepare(), HasSubstr("no hypercall table"));
}

// -- Accounting.

TEST(ProcessCost, SumsTimesAndKeepsTheLargestPeak) {
  ProcessCost cost{1.5, 100};
  cost += ProcessCost{0.25, 50};
  EXPECT_DOUBLE_EQ(cost.cpu_seconds, 1.75);
  EXPECT_EQ(cost.peak_rss_bytes, 100u);
}

TEST(ProcessCost, ReadsALiveProcess) {
  ProcessCost cost = cost_of_process(getpid());
  EXPECT_GT(cost.cpu_seconds, 0.0);
  EXPECT_GT(cost.peak_rss_bytes, 0u);
  EXPECT_EQ(cost_of_process(-1).peak_rss_bytes, 0u);
}

}  // namespace
}  // namespace monitor
