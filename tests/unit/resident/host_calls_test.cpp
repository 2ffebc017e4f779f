// Every host call of the resident parts is made to fail, and to stop halfway, one at a time. Each
// time the operation must have done all that it does on a healthy host; or the guest kernel is told
// of the error, where the contract says that it can be; or the machine dies, and the panic names
// the call. Each run is a process of its own: resident parts have state.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <functional>

#include "baseline-vmm/resident/resident.h"
#include "devices/block.h"
#include "devices/console_port.h"
#include "devices/entropy_port.h"
#include "extended-vmm/resident/host.h"
#include "extended-vmm/trap/upcall.h"
#include "monitor/guest/process_fd.h"
#include "tests/unit/resident/fake_host.h"

extern "C" [[noreturn]] void resident_start();

namespace {

using extended::Spaces;
using vmi::Bytes;
using vmi::Frames;
using vmi::Pages;

/// Whether an error may be what an operation returns.
enum class Errors { none, user_fault, any };

struct Operation {
  const char* name;
  Errors errors;
  /// Its result; negative: an error that the guest kernel hears of.
  std::function<std::int64_t()> run;
};

constexpr std::uint64_t user = 0x40000;  // an address of the guest's

alignas(4096) std::uint8_t buffer[8 * vmi::page_size];
const std::uint64_t buffer_address = reinterpret_cast<std::uint64_t>(buffer);

/// Short of what was asked for is an error here: the caller looks for a fault.
std::int64_t all_of(Bytes got, Bytes wanted) {
  return got == wanted ? static_cast<std::int64_t>(got.number) : -EFAULT;
}

vmi::Extent extents[] = {{user, 7, Frames(3), 3, 0, &extents[1]},
                         {user + 0x10000, 90, Frames(1), 1, 0, &extents[2]},
                         {user + 0x20000, 20, Frames(2), 5, 0, nullptr}};

std::int64_t block_request(std::uint32_t operation, std::uint64_t memory, std::uint64_t bytes) {
  extended::image().start_info.ram_bytes = fake::memory_bytes - vmi::window_size;
  extended::Host host;
  vmi::BlockRequest request{};
  const devices::Disk disk{.image = monitor::guest_block_fd,
                           .bytes = fake::disk_bytes,
                           .read_only = false,
                           .memory = monitor::guest_memory_fd,
                           .memory_bytes = vmi::ram_offset + fake::memory_bytes - vmi::window_size};
  devices::Block block(devices::BlockPort(host, disk), request);
  request.operation = operation;
  request.offset = 8192;
  request.memory = memory;
  request.bytes = bytes;
  block.write(vmi::block_doorbell, 0);
  return request.status;
}

std::int64_t write_all(int stream, std::string_view text) {
  extended::Host host;
  devices::ConsolePort port(host);
  for (std::size_t done = 0; done < text.size();) {
    const std::int64_t now = port.write(stream, text.data() + done, text.size() - done);
    if (now == -EINTR || now == -EAGAIN) continue;  // as the console does
    if (now < 0) return now;
    done += static_cast<std::size_t>(now);
  }
  return 0;
}

std::int64_t switch_two_spaces() {
  for (vmi::SpaceId id : {1u, 2u})
    if (const std::int64_t error = extended::create_space(id); error < 0) return error;
  extended::switch_space(1, extents);
  extended::switch_space(2, extents + 1);
  return 0;
}

const void* slab(std::uint32_t index) {
  return reinterpret_cast<const void*>(vmi::attic_slab(index));
}

constexpr std::uint64_t ram = vmi::ram_offset;  // an offset of memory that is not mapped

const Operation operations[] = {
    {"zero_frames", Errors::none, [] { return extended::zero_frames(3, Frames(70)), 0; }},
    {"copy_frames", Errors::none, [] { return extended::copy_frames(5, 40, Frames(3)), 0; }},
    {"peek_frame", Errors::none,
     [] { return extended::peek_frame(9, Bytes(4000), buffer, Bytes(300)), 0; }},
    {"poke_frame", Errors::none,
     [] { return extended::poke_frame(9, Bytes(4000), buffer, Bytes(300)), 0; }},
    {"copy_frame_to_user", Errors::user_fault,
     [] {
       return all_of(extended::copy_frame_to_user(9, Bytes(5), buffer_address, Bytes(9000)),
                     Bytes(9000));
     }},
    {"copy_user_to_frame", Errors::user_fault,
     [] {
       return all_of(extended::copy_user_to_frame(9, Bytes(5), buffer_address, Bytes(9000)),
                     Bytes(9000));
     }},
    {"map", Errors::any, [] { return extended::map(user, 7, Frames(3), 3, 0); }},
    {"map_zero", Errors::any,
     [] { return extended::map(user, 7, Frames(3), 3, vmi::map_zero | vmi::map_populate); }},
    {"map_zero_refused", Errors::any,
     [] {
       fake::host().fill_refused = true;
       return extended::map(user, 7, Frames(3), 3, vmi::map_zero);
     }},
    {"unmap", Errors::any, [] { return extended::unmap(user, Pages(3)); }},
    {"protect", Errors::any, [] { return extended::protect(user, Pages(3), 1); }},
    {"remap", Errors::none,
     [] {
       extended::image().start_info.spaces = Spaces::remap;
       return extended::switch_space(1, extents), 0;
     }},
    {"pool", Errors::any, switch_two_spaces},
    {"pool_replaces_a_dead_member", Errors::none,
     [] {
       fake::host().fault.at += 2;  // creating them may fail, and is not meant here
       if (switch_two_spaces() < 0) return -1;
       extended::image().members.table[0].pid = extended::pid_gone;
       extended::switch_space(1, extents);
       return 0;
     }},
    {"start", Errors::none, [] { return resident_start(), 0; }},
    {"start_with_ram_behind_the_window", Errors::none,
     [] {
       extended::image().start_info.protection = extended::mmap_policy.protection;
       return resident_start(), 0;
     }},
    {"open_attic", Errors::none,
     [] {
       extended::open_attic(slab(1), 100);
       extended::close_attic();
       extended::open_attic(slab(1), 100);
       extended::open_attic(slab(2), 100);
       extended::close_attic();
       return 0;
     }},
    {"end", Errors::none,
     [] {
       extended::image().members.running = 1;
       return extended::end_machine(1), 0;
     }},
    {"write", Errors::any, [] { return write_all(1, "what a program says"); }},
    {"read_input", Errors::any,
     [] {
       extended::Host host;
       return devices::ConsolePort(host).read(buffer, sizeof buffer);
     }},
    {"monotonic_ns", Errors::none, [] { return extended::Host().clock_ns(CLOCK_MONOTONIC), 0; }},
    {"realtime_ns", Errors::none, [] { return extended::Host().clock_ns(CLOCK_REALTIME), 0; }},
    {"random", Errors::none,
     [] {
       extended::Host host;
       return devices::EntropyPort(host).fill(buffer, 300), 0;
     }},
    {"wait", Errors::none,
     [] {
       extended::Host host;
       devices::Waits waits;
       waits.add(0, devices::Waits::readable);
       waits.until(1000);
       return extended::wait_for_host(host, waits), 0;
     }},
    {"block_read_to_window", Errors::any,
     [] { return block_request(vmi::block_read, 0x1000, 20000); }},
    {"block_read_to_ram", Errors::any, [] { return block_request(vmi::block_read, ram, 20000); }},
    {"block_write_from_window", Errors::any,
     [] { return block_request(vmi::block_write, 0x1000, 20000); }},
    {"block_write_from_ram", Errors::any,
     [] { return block_request(vmi::block_write, ram, 20000); }},
    {"block_flush", Errors::any, [] { return block_request(vmi::block_flush, 0, 0); }},
    {"baseline_map", Errors::any, [] { return baseline::map(user, 7, Frames(3), 3, 0); }},
    {"baseline_map_zero", Errors::any,
     [] {
       return baseline::map(buffer_address, 7, Frames(3), 3, vmi::map_zero | vmi::map_populate);
     }},
    {"baseline_unmap", Errors::any, [] { return baseline::unmap(user, Pages(3)); }},
    {"baseline_protect", Errors::any, [] { return baseline::protect(user, Pages(3), 1); }},
    {"baseline_switch", Errors::none, [] { return baseline::switch_space(1, extents), 0; }},
};

void PrintTo(const Operation& operation, std::ostream* to) {
  *to << operation.name;
}

struct Ran {
  int calls;
  std::string faulted, end;
};

/// In this process: how it ended, in words that are equal only if all of it is.
std::string end_of(const Operation& operation) {
  try {
    const std::int64_t result = operation.run();
    if (result < 0) return fmt::format("error {}", result);
    std::size_t bytes = 0;
    for (std::uint8_t byte : buffer) bytes = bytes * 31 + byte;
    return fmt::format("done {} {:x} {:x}", result, bytes, fake::host().state());
  } catch (const fake::Panic& panic) {
    return "panic: " + panic.message;
  } catch (const fake::Left&) {
    return fmt::format("left {:x}", fake::host().state());
  }
}

/// In a process of its own.
Ran run(const Operation& operation, const fake::Fault& fault) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    for (std::size_t i = 0; i < sizeof buffer; ++i) buffer[i] = static_cast<std::uint8_t>(i * 7);
    fake::host().fault = fault;
    extended::image().members.made = 1;
    extended::image().start_info.attic_slabs = 4;
    extended::image().start_info.trap = extended::Trap::sigsys;
    extended::image().start_info.protection = extended::mprotect_policy.protection;
    const std::string end = end_of(operation);
    const std::string text =
        fmt::format("{}\n{}\n{}", fake::host().calls, fake::host().faulted, end);
    _exit(write(ends[1], text.data(), text.size()) < 0);
  }
  close(ends[1]);
  char text[512] = "";
  const ssize_t bytes = read(ends[0], text, sizeof text - 1);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  const std::string all(text, bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
  const std::size_t first = all.find('\n'), second = all.find('\n', first + 1);
  if (second == std::string::npos) return {0, "", "crashed"};
  return {std::stoi(all), all.substr(first + 1, second - first - 1), all.substr(second + 1)};
}

bool may_return(Errors errors, std::int64_t fault) {
  return fault < 0 && (errors == Errors::any || (errors == Errors::user_fault && fault == -EFAULT));
}

class HostCalls : public testing::TestWithParam<Operation> {};

INSTANTIATE_TEST_SUITE_P(Of, HostCalls, testing::ValuesIn(operations),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(HostCalls, ThatFailAreNeverPassedOver) {
  const Operation& operation = GetParam();
  const Ran healthy = run(operation, {});
  ASSERT_GT(healthy.calls, 0) << healthy.end;
  ASSERT_TRUE(healthy.end.starts_with("done") || healthy.end.starts_with("left")) << healthy.end;
  for (int n = 0; n < healthy.calls; ++n) {
    for (const std::int64_t fault : {-EIO, -EFAULT, -EINTR, 0}) {
      const Ran ran = run(operation, {n, fault});
      SCOPED_TRACE(fmt::format("call {} ({}) meets {}", n, ran.faulted, fault));
      if (ran.end.starts_with("panic")) {
        EXPECT_NE(ran.end.find("host call " + ran.faulted + ' '), std::string::npos) << ran.end;
      } else if (!ran.end.starts_with("error") || !may_return(operation.errors, fault)) {
        EXPECT_EQ(ran.end, healthy.end);
      }
    }
  }
}

}  // namespace
