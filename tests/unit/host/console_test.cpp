// The console with made-up accesses: partial writes, hosts that would block, closed pipes, ends of
// file, and rings whose indices make no sense.
#include "tests/unit/host/devices_fixture.h"

namespace {

using namespace devices_test;

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
  EXPECT_TRUE(waits_for(1));
  EXPECT_EQ(rings->console_out.head - rings->console_out.tail, 3u);

  host.write_results = {-EAGAIN};
  machine.poll();
  EXPECT_FALSE(raised(vmi::irq_console));
  machine.poll();
  EXPECT_EQ(host.written[1], "abcdef");
  EXPECT_FALSE(waits_for(1));
  EXPECT_TRUE(raised(vmi::irq_console));
}

TEST_F(MachineTest, NoMoreIsWrittenAtOnceThanAReadyPipeTakes) {
  std::string all(10'000, 'x');
  put(rings->console_out, all);
  host.write_results = {4096, -EAGAIN};
  flush();
  EXPECT_EQ(host.written[1].size(), 4096u);
  EXPECT_TRUE(waits_for(1));
  host.before_write = [&, seen = host.written[1].size()]() mutable {
    EXPECT_LE(host.written[1].size() - seen, 4096u);
    seen = host.written[1].size();
  };
  machine.poll();
  EXPECT_EQ(host.written[1], all);
}

TEST_F(MachineTest, AnEndlessInterruptionDoesNotHang) {
  host.write_results.assign(100, -EINTR);
  put(rings->console_out, "a");
  flush();
  EXPECT_TRUE(waits_for(1));
}

TEST_F(MachineTest, ReportsAClosedPipeAndLeavesTheRest) {
  host.write_results = {1, -EPIPE};
  put(rings->console_out, "abc");
  flush();
  EXPECT_EQ(reg(vmi::console_flush_out), -EPIPE);
  EXPECT_EQ(reg(vmi::console_flush_err), 0);
  EXPECT_EQ(rings->console_out.head - rings->console_out.tail, 2u);
  rings->console_out.head -= 2;  // the guest takes it back
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

/// In the baseline a guest kernel may run while the VMM process drains, and write anything.
TEST_F(MachineTest, ARingThatFillsAgainMeanwhileIsDrainedOnce) {
  put(rings->console_out, "x");
  host.before_write = [&] { rings->console_out.head += 4096; };
  flush();
  EXPECT_LE(host.written[1].size(), 2 * 16384u);
  host.before_write = nullptr;
  machine.poll();
  EXPECT_TRUE(raised(vmi::irq_console));
  EXPECT_EQ(rings->console_out.head, rings->console_out.tail);
}

TEST_F(MachineTest, ARingThatChangesMeanwhileIsNeverLeft) {
  put(rings->console_out, "x");
  std::uint32_t forged = 0;
  host.before_write = [&] {
    rings->console_out.head = forged += 0x1234'5677;
    rings->console_out.tail = forged - 16384;
  };
  flush();
  EXPECT_LE(host.written[1].size(), 3 * 16384u);
}

TEST_F(MachineTest, AHostThatClaimsTooMuchIsNotBelieved) {
  host.write_results = {1000};
  put(rings->console_out, "abc");
  flush();
  EXPECT_EQ(reg(vmi::console_flush_out), -EIO);
  EXPECT_EQ(rings->console_out.head - rings->console_out.tail, 3u);  // the guest's to take back
}

// -- Console input.

TEST_F(MachineTest, ReadsNothingUnlessAsked) {
  host.input = "early";
  machine.poll();
  EXPECT_EQ(host.reads, 0);
  EXPECT_FALSE(waits_for(0));
}

TEST_F(MachineTest, FillsTheInputRingAtOnce) {
  host.input = "line\n";
  fill();
  EXPECT_TRUE(raised(vmi::irq_console));
  EXPECT_FALSE(waits_for(0));
  EXPECT_EQ(take_input(), "line\n");
  EXPECT_EQ(reg(vmi::console_in_state), 0);
}

TEST_F(MachineTest, AnArmedConsoleFetchesInputWhenItComes) {
  fill();
  EXPECT_TRUE(waits_for(0));
  machine.poll();
  EXPECT_FALSE(raised(vmi::irq_console));
  host.input = "late";
  machine.poll();
  EXPECT_TRUE(raised(vmi::irq_console));
  EXPECT_FALSE(waits_for(0));
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
  EXPECT_FALSE(waits_for(0));
}

TEST_F(MachineTest, ATerminalGoesOnAfterAnEndOfFile) {
  host.input_end = 0;
  fill();
  EXPECT_EQ(reg(vmi::console_in_state), 1);
  host.input_end = -EAGAIN;
  fill();
  EXPECT_EQ(reg(vmi::console_in_state), 0);
  EXPECT_TRUE(waits_for(0));
}

TEST_F(MachineTest, ReportsAnInputError) {
  host.input_end = -EIO;
  fill();
  EXPECT_EQ(reg(vmi::console_in_state), -EIO);
  EXPECT_FALSE(waits_for(0));
}

TEST_F(MachineTest, LeavesInputThatDoesNotFitWithTheHost) {
  host.input = std::string(5000, 'i');
  fill();
  EXPECT_EQ(take_input().size(), 4096u);
  rings->console_in.tail -= 4096;  // the guest puts it back: full again
  fill();
  EXPECT_EQ(host.input.size(), 904u);
  EXPECT_FALSE(waits_for(0));
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

}  // namespace
