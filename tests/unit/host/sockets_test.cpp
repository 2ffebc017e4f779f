// The socket device, with a made-up host: bells, and what ends the guest's sleep.
#include "tests/unit/host/devices_fixture.h"

namespace {

using namespace devices_test;

class SocketsTest : public MachineTest {
 protected:
  static constexpr int doorbell = 1, wake = 2;  // streams of the made-up host
  devices::Sockets sockets{devices::SocketPort(host, {.doorbell = doorbell, .wake = wake}),
                           devices::InterruptLine(shared->pending, vmi::socket_place),
                           rings->sockets};
  devices::Waits waits() {
    devices::Waits waits;
    sockets.wait_for(waits);
    return waits;
  }
};

TEST_F(SocketsTest, WithoutBellsThereIsNone) {
  EXPECT_EQ(machine.read(vmi::socket_place.bus_base + vmi::socket_is_there), 0u);
  machine.write(vmi::socket_place.bus_base + vmi::socket_doorbell, 1);
  EXPECT_EQ(machine.waits().count, 0u);
  EXPECT_EQ(shared->counters.stray_device_accesses, 0u);
  EXPECT_EQ(rings->sockets.asleep, 0u);
}

TEST_F(SocketsTest, TheDoorbellRings) {
  EXPECT_EQ(sockets.read(vmi::socket_is_there), 1u);
  sockets.write(vmi::socket_doorbell, 1);
  EXPECT_EQ(host.written[doorbell], std::string("\1\0\0\0\0\0\0\0", 8));
  sockets.write(vmi::socket_is_there, 1);
  EXPECT_EQ(host.written[doorbell].size(), 8u);
}

TEST_F(SocketsTest, AnswersWakeWhoSleepsAndNobodyElse) {
  host.input = std::string(8, '\1');
  sockets.poll();
  EXPECT_EQ(host.input.size(), 8u) << "it was awake";
  const devices::Waits sleep = waits();
  ASSERT_EQ(sleep.count, 1u);
  EXPECT_EQ(sleep.entries[0].fd, wake);
  EXPECT_EQ(sleep.deadline_ns, 0u);
  EXPECT_EQ(rings->sockets.asleep, 1u);
  sockets.poll();
  EXPECT_EQ(host.input.size(), 0u);
  EXPECT_EQ(rings->sockets.asleep, 0u);
}

TEST_F(SocketsTest, AnAnswerBeforeTheSleepPreventsIt) {
  shared->pending = 1u << vmi::irq_socket;
  EXPECT_EQ(waits().deadline_ns, 1u);
}

}  // namespace
