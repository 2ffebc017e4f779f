// A machine with a made-up host, for the device core's tests: answers writes and reads from
// scripts, records everything.
#pragma once

#include <asm/unistd_64.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "devices/machine.h"
#include "monitor/guest/markers.h"
#include "monitor/machine/syscall_names.h"

namespace devices_test {

/// Answers host calls from scripts; records everything.
class FakeHost final : public devices::Host {
 public:
  std::uint64_t clock_ns(int clock) override {
    return clock == CLOCK_MONOTONIC ? now : now + 1'000'000;
  }
  void* mapped(std::uint64_t at, std::uint64_t bytes) override {
    return at + bytes <= mapped_bytes ? memory + at : nullptr;
  }
  [[noreturn]] void give_up(const char* call, std::int64_t) override {
    throw std::runtime_error(call);
  }

  std::function<void()> before_write;  // what the guest does meanwhile
  /// -EAGAIN: the stream is not ready; else what the write returns.
  std::deque<std::int64_t> write_results;
  std::string written[3];
  std::string input;
  std::int64_t input_end = -EAGAIN;
  int reads = 0;  // and attempts at it
  std::uint64_t now = 1000;
  int random_calls = 0;
  static constexpr std::uint64_t memory_bytes = 0x4000;
  std::uint64_t mapped_bytes = memory_bytes;
  unsigned char memory[memory_bytes] = {};
  std::string calls;  // "pread64 7 ", the first argument with each of the disk's

 private:
  std::int64_t make(std::uint64_t number, const std::uint64_t (&a)[6]) override {
    switch (number) {
      case __NR_ppoll:
        return ready(*reinterpret_cast<devices::Waits::Entry*>(a[0]));
      case __NR_write:
        return write(static_cast<int>(a[0]), reinterpret_cast<const char*>(a[1]), a[2]);
      case __NR_read:
        return read(reinterpret_cast<char*>(a[1]), a[2]);
      case __NR_getrandom:
        std::memset(reinterpret_cast<void*>(a[0]), ++random_calls, a[1]);
        return static_cast<std::int64_t>(a[1]);
      default:
        calls += std::string(monitor::syscall_name(number)) + ' ' + std::to_string(a[0]) + ' ';
        return number == __NR_lseek ? static_cast<std::int64_t>(a[1])
               : number == __NR_fdatasync
                   ? 0
                   : static_cast<std::int64_t>(number == __NR_sendfile ? a[3] : a[2]);
    }
  }
  int ready(const devices::Waits::Entry& entry) {
    if (entry.wanted == devices::Waits::readable) {
      ++reads;
      return !input.empty() || input_end != -EAGAIN ? 1 : 0;
    }
    if (write_results.empty() || write_results.front() != -EAGAIN) return 1;
    write_results.pop_front();
    return 0;
  }
  std::int64_t write(int stream, const char* data, std::uint64_t bytes) {
    auto result = static_cast<std::int64_t>(bytes);
    if (before_write) before_write();
    if (!write_results.empty()) {
      result = write_results.front();
      write_results.pop_front();
    }
    if (result > 0 && result <= static_cast<std::int64_t>(bytes)) {
      written[stream].append(data, static_cast<std::size_t>(result));
    }
    return result;
  }
  std::int64_t read(char* data, std::uint64_t bytes) {
    if (input.empty()) return input_end;
    const std::size_t taken = std::min<std::size_t>(bytes, input.size());
    std::memcpy(data, input.data(), taken);
    input.erase(0, taken);
    return static_cast<std::int64_t>(taken);
  }
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
    return static_cast<std::int64_t>(machine.read(vmi::console_place.bus_base + offset));
  }
  void flush(std::uint32_t offset = vmi::console_flush_out) {
    machine.write(vmi::console_place.bus_base + offset, 1);
  }
  void fill() { machine.write(vmi::console_place.bus_base + vmi::console_fill_in, 1); }
  bool raised(vmi::Irq irq) { return (shared->pending.exchange(0) >> irq & 1) != 0; }

  FakeHost host;
  std::unique_ptr<vmi::SharedInfo> shared = std::make_unique<vmi::SharedInfo>();
  std::unique_ptr<vmi::Rings> rings = std::make_unique<vmi::Rings>();
  bool waits_for(int fd) {
    const devices::Waits waits = machine.waits();
    return std::any_of(waits.entries, waits.entries + waits.count,
                       [&](const auto& entry) { return entry.fd == fd; });
  }
  std::vector<monitor::Marker> marked() {
    monitor::Outcome outcome;
    monitor::read_markers(*markers, outcome);
    return outcome.markers;
  }

  std::unique_ptr<devices::MarkerLog> markers = std::make_unique<devices::MarkerLog>();
  devices::Disk disk{.image = 7,
                     .bytes = 0x10000,
                     .read_only = false,
                     .memory = 8,
                     .memory_bytes = FakeHost::memory_bytes};
  devices::SocketBells bells{};  // nobody carries out requests
  devices::Machine machine{host, disk, bells, *markers, *shared, *rings};
};

}  // namespace devices_test
