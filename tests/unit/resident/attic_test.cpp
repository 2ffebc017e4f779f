// The attic's slabs under protect=mprotect, over the host of fake_host.h: what is mapped and open
// in which host process, also across clones, hand-overs and a host without room for one more
// mapping.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "extended-vmm/trap/upcall.h"
#include "tests/unit/resident/fake_host.h"

namespace extended {
extern "C" Member* take_dead_ones_place(Member* own);

namespace {

constexpr std::uint64_t user = 0x40000, no_mapping = ~0ull;

class Attic : public testing::Test {
 protected:
  /// Resident parts have state.
  static void in_a_process_of_its_own(void (*body)()) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      image().start_info.protection = mprotect_policy.protection;
      image().start_info.spaces = Spaces::pool;
      image().start_info.attic_slabs = 4;
      body();
      std::fflush(stdout);
      _exit(HasFailure());
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  static vmi::SharedInfo& shared() { return shared_info(); }
  static const void* at(std::uint64_t address) { return reinterpret_cast<const void*>(address); }
  /// The protection of all of a slab.
  static std::uint64_t protection(std::uint32_t slab) {
    const auto& mapped = fake::host().mapped;
    const std::uint64_t begin = vmi::attic_slab(slab), end = begin + vmi::attic_slab_bytes;
    if (mapped.count(begin) == 0) return no_mapping;
    for (std::uint64_t page = begin; page < end; page += vmi::page_size) {
      EXPECT_EQ(mapped.at(page).offset, page - vmi::window_base);
      EXPECT_EQ(mapped.at(page).protection, mapped.at(begin).protection);
    }
    EXPECT_EQ(mapped.count(end), 0u);
    return mapped.at(begin).protection;
  }
};

TEST_F(Attic, ASlabIsMappedWhenItIsNeededAndClosedWhenTheKernelIsLeft) {
  in_a_process_of_its_own([] {
    EXPECT_EQ(protection(1), no_mapping);
    EXPECT_TRUE(open_slab_of(vmi::attic_slab(1) + 12345));
    EXPECT_EQ(protection(1), 3u);
    EXPECT_FALSE(open_slab_of(vmi::attic_slab(1)));
    EXPECT_TRUE(open_slab_of(vmi::attic_slab(3) + vmi::attic_slab_bytes - 1));
    close_attic();
    EXPECT_EQ(protection(1), 0u);
    EXPECT_EQ(protection(3), 0u);
    const int calls = fake::host().calls;
    close_attic();
    EXPECT_EQ(fake::host().calls, calls);
    EXPECT_TRUE(open_slab_of(vmi::attic_slab(1)));
    EXPECT_EQ(protection(1), 3u);
    EXPECT_EQ(protection(3), 0u);
  });
}

TEST_F(Attic, HasNothingElsewhere) {
  in_a_process_of_its_own([] {
    const int calls = fake::host().calls;
    for (std::uint64_t address : {user, vmi::window_base, vmi::window_end, vmi::attic_base - 1,
                                  vmi::attic_slab(0) + vmi::attic_slab_bytes,
                                  vmi::attic_slab(1) - 1, vmi::attic_slab(4), vmi::ram_base, ~0ul})
      EXPECT_FALSE(open_slab_of(address)) << address;
    open_attic(at(vmi::attic_slab(0) + vmi::attic_slab_bytes - 1), 2);
    open_attic(at(vmi::attic_slab(0)), ~0ul);
    image().start_info.protection = mmap_policy.protection;
    EXPECT_FALSE(open_slab_of(vmi::attic_slab(1)));
    EXPECT_EQ(fake::host().calls, calls);
    EXPECT_EQ(shared().counters.attic_openings, 0u);
  });
}

TEST_F(Attic, OpeningsAreCounted) {
  in_a_process_of_its_own([] {
    open_attic(at(vmi::attic_slab(2)), 64);
    open_attic(at(vmi::attic_slab(2) + 64), 64);
    close_attic();
    open_attic(at(vmi::attic_slab(2)), 64);
    EXPECT_EQ(shared().counters.attic_openings, 2u);
  });
}

TEST_F(Attic, IsOpenWhereTheHostReadsOrWrites) {
  in_a_process_of_its_own([] {
    auto* inside = reinterpret_cast<void*>(vmi::attic_slab(1) + 64);
    ASSERT_TRUE(open_slab_of(vmi::attic_slab(1)));
    close_attic();
    fake::host().fault = {fake::host().calls + 1, -EIO};  // there is no memory here to read into
    EXPECT_THROW(peek_frame(1, vmi::Bytes(0), inside, vmi::Bytes(8)), fake::Panic);
    EXPECT_EQ(fake::host().faulted, "pread64");
    EXPECT_EQ(protection(1), 3u);
    close_attic();
    fake::host().fault = {fake::host().calls + 1, -EIO};
    EXPECT_THROW(poke_frame(1, vmi::Bytes(0), inside, vmi::Bytes(8)), fake::Panic);
    EXPECT_EQ(fake::host().faulted, "pwrite64");
    EXPECT_EQ(protection(1), 3u);
  });
}

TEST_F(Attic, GuestProgramsThatUseUpAllMappingsLoseTheirs) {
  in_a_process_of_its_own([] {
    ASSERT_EQ(map(user, 7, vmi::Frames(3), 3, 0), 0);
    fake::host().fault = {fake::host().calls, -ENOMEM};
    EXPECT_TRUE(open_slab_of(vmi::attic_slab(1)));
    EXPECT_EQ(protection(1), 3u);
    EXPECT_EQ(fake::host().mapped.count(user), 0u);
  });
}

TEST_F(Attic, AMachineThatCannotCloseDies) {
  in_a_process_of_its_own([] {
    EXPECT_TRUE(open_slab_of(vmi::attic_slab(1)));
    fake::host().fault = {fake::host().calls, -ENOMEM};
    EXPECT_THROW(close_attic(), fake::Panic);
    EXPECT_EQ(host_process().attic.open, 2u);
  });
}

/// Each host process of a pool has its own; the fake host keeps one address space for all.
TEST_F(Attic, AProcessBeginsWithWhatItsMakerHas) {
  in_a_process_of_its_own([] {
    Members& members = image().members;
    members.made = 1;
    members.running = 0;
    ASSERT_EQ(create_space(1), 0);
    EXPECT_TRUE(open_slab_of(vmi::attic_slab(1)));
    ASSERT_EQ(create_space(2), 0);  // clones the process
    EXPECT_TRUE(open_slab_of(vmi::attic_slab(2)));
    switch_space(2, nullptr);
    EXPECT_EQ(members.running, 1u);
    EXPECT_EQ(host_process().attic.open, 2u);
    EXPECT_EQ(host_process().attic.mapped, 2u);
    close_attic();
    EXPECT_EQ(host_process().attic.open, 0u);
    // The first was killed while it was parked.
    EXPECT_TRUE(open_slab_of(vmi::attic_slab(3)));
    members.table[0].pid = pid_gone;
    switch_space(1, nullptr);
    EXPECT_EQ(members.running, 0u);
    EXPECT_EQ(host_process().attic.open, 8u);
    EXPECT_EQ(host_process().attic.mapped, 10u);
    // The one that runs dies, and the other takes its place, with its own slabs.
    close_attic();
    members.table[0].turn = turn_at_work;
    EXPECT_THROW(take_dead_ones_place(&members.table[1]), fake::Left);
    EXPECT_EQ(host_process().attic.open, 8u);
  });
}

}  // namespace
}  // namespace extended
