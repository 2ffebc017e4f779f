// AddressSpaceTest: a current, empty AddressSpace on a FakePlatform, for tests of memory
// management. Every test ends with the page table checked against the monitor's and all frames free
// again.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "guest/mm/address_space.h"
#include "tests/unit/guest/fake_platform.h"

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
  AddressSpaceTest() : frames_(guest::frames_free()), space_(AddressSpace::create().release()) {
    space_->activate();
  }
  void TearDown() override {
    check(*space_);
    space_.reset();
    child_.reset();
    AddressSpace::deactivate();
    EXPECT_EQ(guest::frames_free(), frames_);
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
    std::map<std::uint64_t, FakePlatform::Mapping> expected;
    std::uint64_t end = 0;
    std::size_t extents = 0;
    for (auto* run = space.extents().first(); run; run = run->following(), ++extents) {
      ASSERT_GE(run->va, end);
      end = run->end();
      const guest::Region* region = space.regions().find(run->va);
      ASSERT_NE(region, nullptr);
      ASSERT_LE(end, region->end) << "an extent crosses a region's boundary";
      for (std::uint32_t i = 0; i < run->pages; ++i) {
        ASSERT_GT(guest::frame_references(run->frame + i), 0u);
        expected[run->va + i * page] = {run->frame + i, run->protection};
      }
    }
    EXPECT_EQ(extents, space.extents().size());
    if (&space != AddressSpace::current()) return;
    ASSERT_EQ(expected.size(), platform_.mappings.size());
    for (const auto& [va, mapping] : expected) {
      ASSERT_EQ(platform_.mappings.at(va).frame, mapping.frame);
      ASSERT_EQ(platform_.mappings.at(va).protection, mapping.protection);
    }
  }

  FakePlatform platform_;
  std::uint32_t frames_;
  Ref<AddressSpace> space_, child_;
};

}  // namespace guest_test
