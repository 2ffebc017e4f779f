// A machine with a made-up host, for the device core's tests: answers writes and reads from
// scripts, records everything.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "devices/machine.h"

namespace devices_test {

/// Answers writes and reads from scripts; records everything.
class FakeHost final : public devices::HostPort {
 public:
  std::int64_t write(int stream, const void* data, std::size_t bytes) override {
    std::int64_t result = static_cast<std::int64_t>(bytes);
    if (before_write) before_write();
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

  std::function<void()> before_write;  // what the guest does meanwhile
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

}  // namespace devices_test
