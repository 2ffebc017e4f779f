// Who has which slot, and what is copied when, on made-up memory: nobody runs on these stacks.
// Under the sanitizers there are more slots than in a guest, so sharing begins later.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <random>

#include "guest/sched/stack_slots.h"
#include "tests/unit/guest/fake_platform.h"

namespace {

using guest::StackSlots;
using guest::StackTenant;

constexpr std::size_t bytes = 256;

class StackSlotsTest : public ::testing::Test {
 protected:
  ~StackSlotsTest() override {
    for (StackTenant& tenant : tenants_) slots_->move_out(tenant);
  }
  StackTenant& add() {
    tenants_.emplace_back(nullptr);
    EXPECT_TRUE(slots_->move_in(tenants_.back(), bytes).ok());
    return tenants_.back();
  }
  void fill_all_slots() {
    for (std::size_t i = 0; i < StackSlots::count; ++i) add();
  }
  /// What a tenant would have on its stack.
  static void write(StackTenant& tenant, std::size_t from, int value) {
    tenant.used_from = from;
    std::memset(tenant.memory() + from, value, bytes - from);
  }
  static bool holds(const StackTenant& tenant, int value) {
    for (std::size_t i = tenant.used_from; i < bytes; ++i)
      if (tenant.memory()[i] != value) return false;
    return true;
  }

  guest_test::FakePlatform platform_;
  std::unique_ptr<StackSlots> slots_ = std::make_unique<StackSlots>();
  std::deque<StackTenant> tenants_;
};

TEST_F(StackSlotsTest, TheFirstOnesHaveASlotEach) {
  fill_all_slots();
  for (StackTenant& tenant : tenants_) {
    EXPECT_TRUE(tenant.resident());
    EXPECT_EQ(tenant.home, nullptr);
    EXPECT_EQ(tenant.memory(), tenant.slot->memory);
  }
}

TEST_F(StackSlotsTest, FurtherOnesShareAndWaitAtHome) {
  fill_all_slots();
  StackTenant& late = add();
  EXPECT_FALSE(late.resident());
  EXPECT_EQ(late.memory(), late.home);
  EXPECT_NE(late.slot->resident->home, nullptr);  // it may have to go there
  EXPECT_EQ(late.slot->tenants, 2u);
  EXPECT_NE(add().slot, late.slot);  // the fewest tenants
}

TEST_F(StackSlotsTest, TheUsedPartComesBackToTheSameAddresses) {
  fill_all_slots();
  StackTenant& late = add();
  StackTenant& early = *late.slot->resident;
  write(early, 200, 1);
  write(late, 100, 2);
  for (int round = 0; round < 3; ++round) {
    slots_->bring_in(late);
    EXPECT_TRUE(late.resident());
    EXPECT_FALSE(early.resident());
    EXPECT_TRUE(holds(late, 2));
    EXPECT_TRUE(holds(early, 1));
    std::memset(late.slot->memory, 9, 100);  // nobody's
    slots_->bring_in(early);
    EXPECT_TRUE(holds(late, 2));
    EXPECT_TRUE(holds(early, 1));
    EXPECT_EQ(early.memory(), early.slot->memory);
  }
}

TEST_F(StackSlotsTest, AResidentThatLeavesIsNotSaved) {
  fill_all_slots();
  StackTenant& late = add();
  StackTenant& early = *late.slot->resident;
  write(early, 10, 1);
  write(late, 10, 2);
  slots_->move_out(early);
  EXPECT_FALSE(late.resident());
  slots_->bring_in(late);
  EXPECT_TRUE(holds(late, 2));
  EXPECT_EQ(late.slot->tenants, 1u);
}

TEST_F(StackSlotsTest, WithoutMemoryForAHomeNobodySharesASlot) {
  fill_all_slots();
  platform_.heap_allocations_left = 1;  // its own, and not that of the resident
  tenants_.emplace_back(nullptr);
  EXPECT_FALSE(slots_->move_in(tenants_.back(), bytes).ok());
  EXPECT_EQ(tenants_.back().slot, nullptr);
  platform_.heap_allocations_left = -1;
  for (std::size_t i = 0; i < StackSlots::count; ++i) EXPECT_EQ(tenants_[i].slot->tenants, 1u);
}

TEST_F(StackSlotsTest, ManyTenantsInAnyOrder) {
  fill_all_slots();
  fill_all_slots();
  fill_all_slots();
  int value = 0;
  for (StackTenant& tenant : tenants_) write(tenant, 50, ++value);
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    StackTenant& tenant = tenants_[random() % tenants_.size()];
    if (!tenant.resident()) slots_->bring_in(tenant);
  }
  value = 0;
  for (StackTenant& tenant : tenants_) ASSERT_TRUE(holds(tenant, ++value & 0xff));
}

}  // namespace
