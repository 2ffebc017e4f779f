// The device core with made-up accesses and a made-up host: partial writes, hosts that would block,
// closed pipes, ends of file, and rings whose indices make no sense.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "devices/machine.h"

namespace {

/// Answers writes and reads from scripts; records everything.
class FakeHost final : public devices::HostPort {
 public:
  std::int64_t write(int stream, const void* data, std::size_t bytes) override {
    std::int64_t result = static_cast<std::int64_t>(bytes);
    if (!write_results.empty()) {
      result = write_results.front();
      write_results.pop_front();
    }
    if (result > 0 && result <= static_cast<std::int64_t>(bytes)) {
      written[stream].append(static_cast<const char*>(data), static_cast<std::size_t>(result));
    }
    return result;
  }
  std::int64_t read_input(void* data, std::size_t bytes) override {
    ++reads;
    if (!input.empty()) {
      std::size_t taken = std::min(bytes, input.size());
      std::memcpy(data, input.data(), taken);
      input.erase(0, taken);
      return static_cast<std::int64_t>(taken);
    }
    return input_end;
  }
  std::uint64_t monotonic_ns() override { return now; }
  std::uint64_t realtime_ns() override { return now + 1'000'000; }
  void random(void* data, std::size_t bytes) override { std::memset(data, ++random_calls, bytes); }
  void marker(std::uint64_t host_ns, const char* text, std::size_t bytes) override {
    markers.emplace_back(host_ns, std::string(text, bytes));
  }
  void stray_access(std::uint32_t address, bool write) override {
    strays.emplace_back(address, write);
  }

  std::deque<std::int64_t> write_results;
  std::string written[3];
  std::string input;
  std::int64_t input_end = -EAGAIN;
  int reads = 0;
  std::uint64_t now = 1000;
  int random_calls = 0;
  std::vector<std::pair<std::uint64_t, std::string>> markers;
  std::vector<std::pair<std::uint32_t, bool>> strays;
};

/// Plays the guest: its end of the rings, and its register accesses.
class MachineTest : public testing::Test {
 protected:
  template <std::uint32_t N>
  static void put(vmi::ByteRing<N>& ring, const std::string& text) {
    for (char c : text) ring.data[ring.head++ % N] = static_cast<std::uint8_t>(c);
  }
  std::string take_input() {
    std::string text;
    auto& ring = rings->console_in;
    while (ring.tail != ring.head) text += static_cast<char>(ring.data[ring.tail++ % 4096]);
    return text;
  }
  std::int64_t reg(std::uint32_t offset) {
    return static_cast<std::int64_t>(machine.read(vmi::console_bus_base + offset));
  }
  void flush(std::uint32_t offset = vmi::console_flush_out) {
    machine.write(vmi::console_bus_base + offset, 1);
  }
  void fill() { machine.write(vmi::console_bus_base + vmi::console_fill_in, 1); }
  bool raised(vmi::Irq irq) { return (shared->pending.exchange(0) >> irq & 1) != 0; }

  FakeHost host;
  std::unique_ptr<vmi::SharedInfo> shared = std::make_unique<vmi::SharedInfo>();
  std::unique_ptr<vmi::Rings> rings = std::make_unique<vmi::Rings>();
  devices::Machine machine{host, *shared, *rings};
};

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
  machine.write(vmi::block_bus_base, 7);
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

// -- Console output.

TEST_F(MachineTest, KeepsOutputStreamsApart) {
  put(rings->console_out, "to out");
  put(rings->console_err, "to err");
  flush(vmi::console_flush_err);
  EXPECT_EQ(host.written[2], "to err");
  EXPECT_EQ(host.written[1], "");
  flush();
  EXPECT_EQ(host.written[1], "to out");
  EXPECT_EQ(reg(vmi::console_flush_out), 0);
}

TEST_F(MachineTest, WritesAcrossTheRingsEnd) {
  rings->console_out.head = rings->console_out.tail = 16384 - 3;
  put(rings->console_out, "wrapped");
  flush();
  EXPECT_EQ(host.written[1], "wrapped");
  EXPECT_EQ(rings->console_out.tail, rings->console_out.head);
}

TEST_F(MachineTest, WritesAcrossTheIndexsEnd) {
  rings->console_out.head = rings->console_out.tail = ~0u - 2;
  put(rings->console_out, "wrapped");
  flush();
  EXPECT_EQ(host.written[1], "wrapped");
}

TEST_F(MachineTest, GoesOnAfterPartialAndInterruptedWrites) {
  host.write_results = {2, -EINTR, 1};
  put(rings->console_out, "abcdef");
  flush();
  EXPECT_EQ(host.written[1], "abcdef");
}

TEST_F(MachineTest, KeepsWhatTheHostWouldBlockOnAndRaisesWhenItIsGone) {
  host.write_results = {3, -EAGAIN};
  put(rings->console_out, "abcdef");
  flush();
  EXPECT_EQ(host.written[1], "abc");
  EXPECT_EQ(reg(vmi::console_flush_out), 0);
  EXPECT_TRUE(machine.output_blocked());
  EXPECT_EQ(rings->console_out.head - rings->console_out.tail, 3u);

  host.write_results = {-EAGAIN};
  machine.poll();
  EXPECT_FALSE(raised(vmi::irq_console));
  machine.poll();
  EXPECT_EQ(host.written[1], "abcdef");
  EXPECT_FALSE(machine.output_blocked());
  EXPECT_TRUE(raised(vmi::irq_console));
}

TEST_F(MachineTest, AnEndlessInterruptionDoesNotHang) {
  host.write_results.assign(100, -EINTR);
  put(rings->console_out, "a");
  flush();
  EXPECT_TRUE(machine.output_blocked());
}

TEST_F(MachineTest, ReportsAClosedPipeAndDropsTheRest) {
  host.write_results = {1, -EPIPE};
  put(rings->console_out, "abc");
  flush();
  EXPECT_EQ(reg(vmi::console_flush_out), -EPIPE);
  EXPECT_EQ(reg(vmi::console_flush_err), 0);
  EXPECT_EQ(rings->console_out.tail, rings->console_out.head);
  // The status is that of the last drain.
  put(rings->console_out, "d");
  flush();
  EXPECT_EQ(reg(vmi::console_flush_out), 0);
  EXPECT_EQ(host.written[1], "ad");
}

TEST_F(MachineTest, DropsAnAbsurdOutputRing) {
  for (std::uint32_t head : {16385u, 0x8000'0000u, ~0u}) {
    rings->console_out.head = head;
    rings->console_out.tail = 0;
    flush();
    EXPECT_EQ(reg(vmi::console_flush_out), -EIO);
    EXPECT_EQ(rings->console_out.tail, head);
    EXPECT_EQ(host.written[1], "");
  }
  put(rings->console_out, "fine again");
  flush();
  EXPECT_EQ(host.written[1], "fine again");
}

TEST_F(MachineTest, DrainsAFullRing) {
  std::string all(16384, 'x');
  put(rings->console_out, all);
  flush();
  EXPECT_EQ(host.written[1], all);
}

TEST_F(MachineTest, AHostThatClaimsTooMuchIsNotBelieved) {
  host.write_results = {1000};
  put(rings->console_out, "abc");
  flush();
  EXPECT_EQ(reg(vmi::console_flush_out), -EIO);
  EXPECT_EQ(rings->console_out.tail, rings->console_out.head);
}

// -- Console input.

TEST_F(MachineTest, ReadsNothingUnlessAsked) {
  host.input = "early";
  machine.poll();
  EXPECT_EQ(host.reads, 0);
  EXPECT_FALSE(machine.input_wanted());
}

TEST_F(MachineTest, FillsTheInputRingAtOnce) {
  host.input = "line\n";
  fill();
  EXPECT_TRUE(raised(vmi::irq_console));
  EXPECT_FALSE(machine.input_wanted());
  EXPECT_EQ(take_input(), "line\n");
  EXPECT_EQ(reg(vmi::console_in_state), 0);
}

TEST_F(MachineTest, AnArmedConsoleFetchesInputWhenItComes) {
  fill();
  EXPECT_TRUE(machine.input_wanted());
  machine.poll();
  EXPECT_FALSE(raised(vmi::irq_console));
  host.input = "late";
  machine.poll();
  EXPECT_TRUE(raised(vmi::irq_console));
  EXPECT_FALSE(machine.input_wanted());
  EXPECT_EQ(take_input(), "late");
  machine.poll();
  EXPECT_EQ(host.reads, 3);
}

TEST_F(MachineTest, EndOfFileComesAfterTheBytesBeforeIt) {
  host.input = "last";
  host.input_end = 0;
  fill();
  EXPECT_EQ(reg(vmi::console_in_state), 0);
  EXPECT_EQ(take_input(), "last");
  fill();
  EXPECT_EQ(reg(vmi::console_in_state), 1);
  EXPECT_TRUE(raised(vmi::irq_console));
  EXPECT_FALSE(machine.input_wanted());
}

TEST_F(MachineTest, ATerminalGoesOnAfterAnEndOfFile) {
  host.input_end = 0;
  fill();
  EXPECT_EQ(reg(vmi::console_in_state), 1);
  host.input_end = -EAGAIN;
  fill();
  EXPECT_EQ(reg(vmi::console_in_state), 0);
  EXPECT_TRUE(machine.input_wanted());
}

TEST_F(MachineTest, ReportsAnInputError) {
  host.input_end = -EIO;
  fill();
  EXPECT_EQ(reg(vmi::console_in_state), -EIO);
  EXPECT_FALSE(machine.input_wanted());
}

TEST_F(MachineTest, LeavesInputThatDoesNotFitWithTheHost) {
  host.input = std::string(5000, 'i');
  fill();
  EXPECT_EQ(take_input().size(), 4096u);
  rings->console_in.tail -= 4096;  // the guest puts it back: full again
  fill();
  EXPECT_EQ(host.input.size(), 904u);
  EXPECT_FALSE(machine.input_wanted());
  take_input();
  fill();
  EXPECT_EQ(take_input().size(), 904u);
}

TEST_F(MachineTest, RestartsAnAbsurdInputRing) {
  for (std::uint32_t tail : {1u, 5000u, 0x8000'0000u}) {
    rings->console_in.head = 0;
    rings->console_in.tail = tail;
    host.input = "sane";
    fill();
    EXPECT_EQ(take_input(), "sane");
  }
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
