// The baseline's devices run in the VMM process: what a guest asks of them is bounded there.
#include "baseline-vmm/host_port.h"

#include <gtest/gtest.h>

#include <string>

namespace baseline {
namespace {

struct BaselineHostPort : testing::Test {
  monitor::MachineConfig config;
  monitor::GuestMemory memory{vmi::ram_min};
  HostPort port{config, memory};
};

TEST_F(BaselineHostPort, KeepsNoMoreMarkersThanALogHolds) {
  const std::string text(200, 'm');
  for (int i = 0; i < 10'000; ++i) port.marker(1, text.data(), text.size());
  EXPECT_EQ(port.markers().size(), 16384u / 224);
  ASSERT_EQ(port.warnings().size(), 1u);
  EXPECT_NE(port.warnings()[0].find("markers were lost"), std::string::npos);
}

TEST_F(BaselineHostPort, ABlockRequestStaysInGuestMemory) {
  const std::uint64_t total = memory.total_bytes();
  const struct {
    std::uint64_t memory, bytes;
  } outside[] = {{total, 1},     {total - 1, 2}, {~0ull, 1},
                 {~0ull - 1, 4}, {0, total + 1}, {8, ~0ull}};
  for (const auto& [at, bytes] : outside) {
    EXPECT_EQ(port.read_block(0, at, bytes), -EFAULT);
    EXPECT_EQ(port.write_block(0, at, bytes), -EFAULT);
  }
}

}  // namespace
}  // namespace baseline
