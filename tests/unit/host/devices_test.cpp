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
  devices::Bus bus(devices::ConsolePort(host), counters);
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
  devices::Bus bus(devices::ConsolePort(host), counters);
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
  devices::Bus bus(devices::ConsolePort(host), counters);
  NullDevice device;
  ASSERT_TRUE(bus.attach(0x1000, device));
  EXPECT_EQ(bus.read(0x1000), 0u);
  EXPECT_EQ(bus.read(0x1000 + vmi::device_span - 8), vmi::device_span - 8);
}

TEST_F(MachineTest, CountsAndLogsStrayAccesses) {
  EXPECT_EQ(machine.read(0), 0u);
  EXPECT_EQ(machine.read(vmi::console_place.bus_base - 1), 0u);
  machine.write(0xffff'ffff, 7);
  machine.write(vmi::socket_place.bus_base + vmi::device_span, 7);
  EXPECT_EQ(shared->counters.stray_device_accesses, 4u);
  EXPECT_EQ(shared->counters.device_accesses, 4u);
  EXPECT_NE(host.written[2].find("typetwo: the guest kernel read device address 0x00000fff, "
                                 "which none owns\n"),
            std::string::npos)
      << host.written[2];
  EXPECT_NE(host.written[2].find("wrote to device address 0xffffffff"), std::string::npos);
  for (int i = 0; i < 100; ++i) machine.read(0);
  EXPECT_EQ(std::count(host.written[2].begin(), host.written[2].end(), '\n'), 16);
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
  EXPECT_EQ(machine.read(vmi::clock_place.bus_base + vmi::clock_monotonic_ns), 1000u);
  EXPECT_EQ(machine.read(vmi::clock_place.bus_base + vmi::clock_realtime_ns), 1'001'000u);
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
  auto first = machine.read(vmi::entropy_place.bus_base);
  auto second = machine.read(vmi::entropy_place.bus_base);
  EXPECT_EQ(first, 0x0101010101010101u);
  EXPECT_EQ(second, 0x0202020202020202u);
}

// -- Marker.

TEST_F(MachineTest, StampsMarkers) {
  put(rings->marker, "start null-syscall 1000 5\n");
  machine.write(vmi::marker_place.bus_base, 1);
  host.now = 2000;
  rings->marker.head = rings->marker.tail = 4096 * 7 - 2;
  put(rings->marker, "stop null-syscall 6");
  machine.write(vmi::marker_place.bus_base, 1);
  ASSERT_EQ(marked().size(), 2u);
  EXPECT_EQ(marked()[0].host_ns, 1000u);
  EXPECT_EQ(marked()[0].text, "start null-syscall 1000 5");
  EXPECT_EQ(marked()[1].host_ns, 2000u);
  EXPECT_EQ(marked()[1].text, "stop null-syscall 6");
}

TEST_F(MachineTest, CutsOverlongAndDropsAbsurdMarkers) {
  put(rings->marker, std::string(4096, 'm'));
  machine.write(vmi::marker_place.bus_base, 1);
  ASSERT_EQ(marked().size(), 1u);
  EXPECT_EQ(marked()[0].text.size(), devices::Marker::text_max);
  EXPECT_EQ(rings->marker.head, rings->marker.tail);

  rings->marker.head = rings->marker.tail + 5000;
  machine.write(vmi::marker_place.bus_base, 1);
  ASSERT_EQ(marked().size(), 2u);
  EXPECT_EQ(marked()[1].text, "");
  EXPECT_EQ(rings->marker.head, rings->marker.tail);
}

TEST_F(MachineTest, KeepsNoMoreMarkersThanTheLogHolds) {
  const std::string text(200, 'm');
  for (int i = 0; i < 10'000; ++i) {
    put(rings->marker, text);
    machine.write(vmi::marker_place.bus_base, 1);
  }
  EXPECT_GT(marked().size(), 16384u / 230);
  EXPECT_LE(markers->bytes, devices::MarkerLog::capacity);
  EXPECT_EQ(markers->lost, 10'000 - marked().size());
}

// -- Block.

TEST_F(MachineTest, MovesBetweenDiskAndMappedMemoryOrFromFileToFile) {
  devices::BlockPort port(host, disk);
  EXPECT_EQ(port.read(100, 0x1000, 512), 512);
  EXPECT_EQ(port.write(100, 0x1000, 512), 512);
  EXPECT_EQ(host.calls, "pread64 7 pwrite64 7 ");
  host.calls = "";
  host.mapped_bytes = 0x1000;
  EXPECT_EQ(port.read(100, 0x1000, 512), 512);
  EXPECT_EQ(host.calls, "lseek 8 sendfile 8 ");
  host.calls = "";
  EXPECT_EQ(port.write(100, 0x0f00, 512), 512);  // begins where it is mapped
  EXPECT_EQ(host.calls, "lseek 7 sendfile 7 ");
}

TEST_F(MachineTest, ABlockRequestStaysInGuestMemory) {
  devices::BlockPort port(host, disk);
  const std::uint64_t total = FakeHost::memory_bytes;
  const struct {
    std::uint64_t memory, bytes;
  } outside[] = {{total, 1},     {total - 1, 2}, {~0ull, 1},
                 {~0ull - 1, 4}, {0, total + 1}, {8, ~0ull}};
  for (const auto& [at, bytes] : outside) {
    EXPECT_EQ(port.read(0, at, bytes), -EFAULT);
    EXPECT_EQ(port.write(0, at, bytes), -EFAULT);
  }
  EXPECT_EQ(host.calls, "");
}

// -- Waiting.

TEST_F(MachineTest, WaitsForWhatItsDevicesWaitFor) {
  EXPECT_EQ(machine.waits().count, 0u);
  EXPECT_EQ(machine.waits().deadline_ns, 0u);
  shared->timer_deadline = 5000;
  fill();
  host.write_results = {-EAGAIN, -EAGAIN};
  put(rings->console_out, "a");
  put(rings->console_err, "b");
  flush();
  flush(vmi::console_flush_err);
  const devices::Waits waits = machine.waits();
  EXPECT_EQ(waits.deadline_ns, 5000u);
  ASSERT_EQ(waits.count, 3u);
  EXPECT_TRUE(waits_for(0) && waits_for(1) && waits_for(2));
  for (std::uint32_t i = 0; i < waits.count; ++i) {
    const auto& entry = waits.entries[i];
    EXPECT_EQ(entry.wanted, entry.fd == 0 ? devices::Waits::readable : devices::Waits::writable);
  }
}

}  // namespace
