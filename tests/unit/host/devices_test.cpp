// The bus, and the clock, entropy and marker devices, with made-up accesses and a made-up host.
#include "tests/unit/host/devices_fixture.h"

namespace {

using namespace devices_test;

// -- Bus.

class NullDevice final : public devices::Device {
 public:
  std::uint64_t read(std::uint32_t offset) override { return offset; }
  void write(std::uint32_t, std::uint64_t) override {}
};

TEST(Bus, RefusesOverlapOnEitherSide) {
  FakeHost host;
  vmi::Counters counters{};
  devices::Bus bus(host, counters);
  NullDevice device;
  ASSERT_TRUE(bus.attach(0x1000, device));
  EXPECT_FALSE(bus.attach(0x1000, device));
  EXPECT_FALSE(bus.attach(0x1000 + vmi::device_span - 1, device));
  EXPECT_FALSE(bus.attach(0x1000 - vmi::device_span + 1, device));
  EXPECT_TRUE(bus.attach(0x1000 + vmi::device_span, device));
  EXPECT_TRUE(bus.attach(0x1000 - vmi::device_span, device));
}

TEST(Bus, RefusesMoreDevicesThanSlots) {
  FakeHost host;
  vmi::Counters counters{};
  devices::Bus bus(host, counters);
  NullDevice device;
  std::uint32_t base = 0x1000;
  for (std::size_t i = 0; i < devices::Bus::slots; ++i, base += vmi::device_span) {
    ASSERT_TRUE(bus.attach(base, device));
  }
  EXPECT_FALSE(bus.attach(base, device));
}

TEST(Bus, TellsDevicesOffsetsNotAddresses) {
  FakeHost host;
  vmi::Counters counters{};
  devices::Bus bus(host, counters);
  NullDevice device;
  ASSERT_TRUE(bus.attach(0x1000, device));
  EXPECT_EQ(bus.read(0x1000), 0u);
  EXPECT_EQ(bus.read(0x1000 + vmi::device_span - 8), vmi::device_span - 8);
}

TEST_F(MachineTest, CountsAndLogsStrayAccesses) {
  EXPECT_EQ(machine.read(0), 0u);
  EXPECT_EQ(machine.read(vmi::console_bus_base - 1), 0u);
  machine.write(0xffff'ffff, 7);
  machine.write(vmi::socket_bus_base, 7);
  EXPECT_EQ(shared->counters.stray_device_accesses, 4u);
  EXPECT_EQ(shared->counters.device_accesses, 4u);
  ASSERT_EQ(host.strays.size(), 4u);
  EXPECT_EQ(host.strays[2], (std::pair<std::uint32_t, bool>{0xffff'ffff, true}));
}

TEST_F(MachineTest, SurvivesEveryRegisterOfEveryDevice) {
  for (std::uint32_t address = 0x0f00; address < 0x1800; ++address) {
    machine.read(address);
    machine.write(address, ~0ul);
  }
  machine.poll();
}

// -- Clock.

TEST_F(MachineTest, ReadsTheHostsClocks) {
  EXPECT_EQ(machine.read(vmi::clock_bus_base + vmi::clock_monotonic_ns), 1000u);
  EXPECT_EQ(machine.read(vmi::clock_bus_base + vmi::clock_realtime_ns), 1'001'000u);
}

TEST_F(MachineTest, RaisesTheTimerOnceForEachDeadline) {
  machine.poll();
  EXPECT_FALSE(raised(vmi::irq_timer));
  shared->timer_deadline = 1500;
  machine.poll();
  EXPECT_FALSE(raised(vmi::irq_timer));
  host.now = 1500;
  machine.poll();
  EXPECT_TRUE(raised(vmi::irq_timer));
  machine.poll();
  EXPECT_FALSE(raised(vmi::irq_timer));
  EXPECT_EQ(shared->timer_deadline, 0u);
}

TEST_F(MachineTest, TheSameDeadlineStoredAgainRaisesAgain) {
  for (int i = 0; i < 2; ++i) {
    shared->timer_deadline = 900;
    machine.poll();
    EXPECT_TRUE(raised(vmi::irq_timer));
  }
}

// -- Entropy.

TEST_F(MachineTest, EveryEntropyReadIsFresh) {
  auto first = machine.read(vmi::entropy_bus_base);
  auto second = machine.read(vmi::entropy_bus_base);
  EXPECT_EQ(first, 0x0101010101010101u);
  EXPECT_EQ(second, 0x0202020202020202u);
}

// -- Marker.

TEST_F(MachineTest, StampsMarkers) {
  put(rings->marker, "start null-syscall 1000 5\n");
  machine.write(vmi::marker_bus_base, 1);
  host.now = 2000;
  rings->marker.head = rings->marker.tail = 4096 * 7 - 2;
  put(rings->marker, "stop null-syscall 6");
  machine.write(vmi::marker_bus_base, 1);
  ASSERT_EQ(host.markers.size(), 2u);
  EXPECT_EQ(host.markers[0],
            (std::pair<std::uint64_t, std::string>{1000, "start null-syscall 1000 5"}));
  EXPECT_EQ(host.markers[1], (std::pair<std::uint64_t, std::string>{2000, "stop null-syscall 6"}));
}

TEST_F(MachineTest, CutsOverlongAndDropsAbsurdMarkers) {
  put(rings->marker, std::string(4096, 'm'));
  machine.write(vmi::marker_bus_base, 1);
  ASSERT_EQ(host.markers.size(), 1u);
  EXPECT_EQ(host.markers[0].second.size(), devices::Marker::text_max);
  EXPECT_EQ(rings->marker.head, rings->marker.tail);

  rings->marker.head = rings->marker.tail + 5000;
  machine.write(vmi::marker_bus_base, 1);
  ASSERT_EQ(host.markers.size(), 2u);
  EXPECT_EQ(host.markers[1].second, "");
  EXPECT_EQ(rings->marker.head, rings->marker.tail);
}

}  // namespace
