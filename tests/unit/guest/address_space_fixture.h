// AddressSpaceTest: a current, empty AddressSpace on a FakePlatform, for tests of memory
// management. Every test ends with the page table checked against the monitor's and all frames free
// again.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "guest/mm/address_space.h"
#include "tests/unit/guest/fake_platform.h"
#include "tests/unit/guest/invariants.h"

namespace guest_test {

using guest::AddressSpace;
using guest::Errno;
using guest::MapRequest;
using guest::Ref;

inline constexpr std::uint64_t page = vmi::page_size;
inline constexpr std::uint32_t read_write = vmi::prot_read | vmi::prot_write;
inline constexpr std::uint64_t somewhere = 0x10'0000'0000;

class AddressSpaceTest : public ::testing::Test {
 protected:
  AddressSpaceTest()
      : frames_(guest::frames_free().number), space_(AddressSpace::create().release()) {
    space_->activate();
  }
  void TearDown() override {
    check(*space_);
    space_.reset();
    child_.reset();
    AddressSpace::deactivate();
    EXPECT_EQ(guest::frames_free().number, frames_);
    EXPECT_TRUE(platform_.spaces.empty());
  }

  std::uint64_t map(std::uint64_t pages, std::uint32_t protection = read_write,
                    bool shared = false) {
    return space_->map({.bytes = pages * page, .protection = protection, .shared = shared})
        .release();
  }
  std::uint64_t map_at(std::uint64_t va, std::uint64_t pages,
                       std::uint32_t protection = read_write) {
    return space_
        ->map({.address = va,
               .bytes = pages * page,
               .protection = protection,
               .placement = MapRequest::fixed})
        .release();
  }
  int load_error(std::uint64_t va) {
    try {
      platform_.load(va);
    } catch (const FaultFailed& failed) {
      return failed.error;
    }
    return 0;
  }
  int store_error(std::uint64_t va) {
    try {
      platform_.store(va, 1);
    } catch (const FaultFailed& failed) {
      return failed.error;
    }
    return 0;
  }
  std::size_t count(MappingCall::Kind kind) {
    return static_cast<std::size_t>(
        std::count_if(platform_.calls.begin(), platform_.calls.end(),
                      [&](const MappingCall& call) { return call.kind == kind; }));
  }
  void fork() {
    child_ = space_->fork().release();
    check(*child_);
  }

  /// The extents of a space are sane; those of the current one are what the monitor has.
  void check(const AddressSpace& space) {
    ASSERT_EQ(Invariants::broken({&space}), "");
    if (&space != AddressSpace::current()) return;
    std::uint64_t pages = 0;
    for (auto* run = space.extents().first(); run; run = run->following()) {
      pages += run->count.number;
      for (std::uint64_t va = run->va; va < run->end(); va += page) {
        ASSERT_EQ(platform_.mappings.count(va), 1u);
        ASSERT_EQ(platform_.mappings.at(va).protection, run->protection);
      }
    }
    ASSERT_EQ(pages, platform_.mappings.size());
  }

  FakePlatform platform_;
  std::uint32_t frames_;
  Ref<AddressSpace> space_, child_;
};

}  // namespace guest_test
