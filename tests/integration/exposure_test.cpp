// Integration: what lies in a guest-machine process's memory, as the host sees it while a guest
// runs. Below the end of guest user memory there must be guest memory and nothing else: no host
// stack, no loader, no vdso that guest code could call or jump into.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "monitor/guest/process_fd.h"
#include "tests/support/process_list.h"
#include "tests/support/started_guest.h"
#include "tests/support/tool.h"
#include "vmi/address_map.h"

namespace {

class Exposure : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(InGuests, Exposure, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

bool within(std::uint64_t begin, std::uint64_t end, std::uint64_t base, std::uint64_t bytes) {
  return begin >= base && end <= base + bytes;
}

/// One line of /proc/PID/maps: may it be there?
bool is_expected(const std::string& line) {
  std::uint64_t begin = 0, end = 0;
  char read = 0, write = 0, execute = 0;
  std::sscanf(line.c_str(), "%lx-%lx %c%c%c", &begin, &end, &read, &write, &execute);
  if (line.find("[vsyscall]") != std::string::npos) return true;  // of the host kernel, not ours
  if (line.find("[v") != std::string::npos || line.find("[stack") != std::string::npos ||
      line.find("[heap") != std::string::npos || line.find(".so") != std::string::npos) {
    return false;
  }
  for (const auto& area : vmi::trampoline_areas)
    if (within(begin, end, area.base, area.bytes)) return write == '-';
  if (end <= vmi::user_end) return line.find("memfd:") != std::string::npos;
  if (within(begin, end, vmi::gate_base, vmi::gate_size)) return write == '-';
  if (within(begin, end, vmi::alt_stack_base, vmi::alt_stack_size)) return execute == '-';
  return begin >= vmi::window_base && end <= vmi::ram_base + vmi::ram_max;
}

TEST_P(Exposure, NothingOfTheHostIsMapped) {
  support::StartedGuest guest(GetParam(), "echo ready; while :; do :; done");
  EXPECT_EQ(guest.said(), "ready\n");
  int guests = 0;
  for (const auto& process : guest.processes()) {
    const auto lines = support::memory_map(process.pid);
    bool has_gate = false;
    char gate[32];
    std::snprintf(gate, sizeof gate, "%lx-", vmi::gate_base);
    for (const auto& line : lines) has_gate |= line.rfind(gate, 0) == 0;
    if (!has_gate) continue;  // a helper of the tool, no guest-machine process
    ++guests;
    for (const auto& line : lines) EXPECT_TRUE(is_expected(line)) << process.name << ": " << line;
  }
  EXPECT_GE(guests, 1);
  guest.end_by(SIGTERM);
}

/// Descriptors of a process, with what they are: "memfd:typetwo-guest (deleted)".
std::map<int, std::string> descriptors(pid_t pid) {
  std::map<int, std::string> found;
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    found[std::stoi(entry.path().filename())] = std::filesystem::read_symlink(entry.path());
  return found;
}

bool closes_on_exec(pid_t pid, int fd) {
  constexpr int close_on_exec = 02000000;
  std::ifstream info("/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(fd));
  std::string word;
  int flags = 0;
  while (info >> word && word != "flags:") {
  }
  info >> std::oct >> flags;
  return (flags & close_on_exec) != 0;
}

/// The memory, and where devices run in the process the streams and the launcher's eventfd.
TEST_P(Exposure, NoOtherDescriptorIsOpen) {
  support::StartedGuest guest(GetParam(), "echo ready; while :; do :; done");
  const bool devices_inside = GetParam().starts_with("extended");
  int guests = 0;
  for (const auto& process : guest.processes()) {
    if (process.name != "guest-machine") continue;
    ++guests;
    for (const auto& [fd, what] : descriptors(process.pid)) {
      if (fd == monitor::guest_memory_fd)
        EXPECT_THAT(what, testing::HasSubstr("memfd:typetwo-guest"));
      else if (fd == monitor::guest_wake_fd)
        EXPECT_THAT(what, testing::HasSubstr("eventfd"));
      else
        EXPECT_TRUE(devices_inside && fd <= STDERR_FILENO) << fd << ": " << what;
    }
  }
  EXPECT_GE(guests, 1);
  for (const auto& [fd, what] : descriptors(guest.tool())) {
    const bool inherited = fd <= STDERR_FILENO || fcntl(fd, F_GETFD) == 0;
    EXPECT_TRUE(inherited || closes_on_exec(guest.tool(), fd)) << fd << ": " << what;
  }
  guest.end_by(SIGTERM);
}

}  // namespace
