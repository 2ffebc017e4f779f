// What of the host's network a guest is given: addresses are compared, whatever words they came in.
#include "monitor/outside/rules.h"

#include <gtest/gtest.h>

#include "monitor/tool/error.h"

namespace {

using vmi::HostEndpoint;

constexpr HostEndpoint v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                          std::uint16_t port) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, port};
}

TEST(OutsideRules, TheSameAddressInOtherWordsIsTheSame) {
  monitor::OutsideRules rules;
  monitor::add_permissions("[::ffff:127.0.0.1]:80,127.0.0.1:80,127.1:80,[::1]:81", rules);
  for (int i : {0, 1, 2})
    EXPECT_EQ(rules.connect.at(i).endpoints, std::vector{v4(127, 0, 0, 1, 80)});
  EXPECT_TRUE(rules.allow(v4(127, 0, 0, 1, 80)));
  EXPECT_EQ(rules.host_ports(), (std::set<std::uint16_t>{80, 81}));
}

TEST(OutsideRules, OtherAddressesAreOthers) {
  monitor::OutsideRules rules;
  monitor::add_permissions("127.0.0.1:80", rules);
  const HostEndpoint any{{}, 80},
      mapped_as_of_old{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1}, 80},
      loopback6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 80};
  for (const HostEndpoint& other : {any, mapped_as_of_old, loopback6, v4(0, 0, 0, 0, 80),
                                    v4(127, 0, 0, 2, 80), v4(127, 0, 0, 1, 81)})
    EXPECT_FALSE(rules.allow(other)) << monitor::text_of(other);
}

// None is forgotten in silence.
TEST(OutsideRules, MorePortsOfTheLoopbackThanThereIsRoomForAreRefused) {
  monitor::OutsideRules rules;
  for (int port = 1; port <= vmi::most_published; ++port)
    monitor::add_permissions("localhost:" + std::to_string(port), rules);
  monitor::add_permissions("127.0.0.2:1,192.0.2.1:1000", rules);
  EXPECT_EQ(rules.host_ports().size(), vmi::most_published);
  EXPECT_THROW(monitor::add_permissions("127.0.0.1:1000", rules), monitor::UsageError);
}

}  // namespace
