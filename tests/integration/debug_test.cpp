// Integration: gdb stops, looks at and steps the guest kernel, and the guest never knows.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/integration/outside_fixture.h"
#include "tests/support/tool.h"

namespace {

/// gdb's commands, one an argument, after it has taken the guest. What it prints.
std::string run_gdb(const std::string& socket, const std::string& vmm,
                    const std::vector<std::string>& commands) {
  std::string line = "timeout 60 gdb -nx -batch -x " TYPETWO_GDB_SCRIPT " -ex 'typetwo-attach " +
                     socket + " " + vmm + " " TYPETWO_BUILD "'";
  for (const auto& command : commands) line += " -ex '" + command + "'";
  line += " 2>&1";
  std::string text;
  FILE* gdb = popen(line.c_str(), "r");
  char part[4096];
  while (gdb && std::fgets(part, sizeof part, gdb)) text += part;
  if (gdb) pclose(gdb);
  return text;
}

/// Its file is there a moment earlier, when connecting would be refused.
bool listens(const std::string& socket) {
  std::ifstream table("/proc/net/unix");
  for (std::string line; std::getline(table, line);)
    if (line.find(' ' + socket) != std::string::npos &&
        line.find(" 00010000 ") != std::string::npos)
      return true;
  return false;
}

/// What a killed tool leaves: a socket at which nobody listens.
void leave_socket(const std::string& path) {
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  close(fd);
}

struct Session {
  support::ToolRun guest;
  std::string gdb;
};

Session debug(const std::string& place, const std::vector<std::string>& commands,
              const std::vector<std::string>& program, std::vector<std::string> more = {}) {
  const std::string socket =
      testing::TempDir() + "/debug-test-" + std::to_string(getpid()) + ".socket";
  leave_socket(socket);
  Session session;
  std::thread guest([&] {
    more.insert(more.end(), {"--memory", "64M", "--debug", socket});
    session.guest = support::exec(place, program, more);
  });
  for (int i = 0; i < 3000 && !listens(socket); ++i) usleep(20'000);
  if (listens(socket))
    session.gdb = run_gdb(socket, place.substr(0, place.find(':')), commands);
  else
    ADD_FAILURE() << socket << ": nobody listens";
  guest.join();
  EXPECT_FALSE(std::filesystem::exists(socket));
  return session;
}

class Debugger : public testing::TestWithParam<std::string> {};

TEST_P(Debugger, StepsTheGuestKernel) {
  const auto [guest, gdb] =
      debug(GetParam(),
            {"break guest::sys_execve", "continue", "backtrace", "guest-processes", "stepi", "next",
             "print guest::processes.count_", "delete", "continue"},
            {"/bin/busybox", "sh", "-c", "busybox echo $((6 * 7)); exit 5"});
  EXPECT_EQ(guest.status, 5) << guest.describe() << gdb;
  EXPECT_EQ(guest.out, "42\n") << gdb;
  for (const char* wanted :
       {"Breakpoint 1, guest::sys_execve", "guest::handle_upcall",
        "*     3       2       2  alive    busybox", "$1 = 3", "exited with code 05"}) {
    EXPECT_NE(gdb.find(wanted), std::string::npos) << wanted << " is not in\n" << gdb;
  }
}

TEST_P(Debugger, LeavesAndTheGuestGoesOn) {
  const auto [guest, gdb] = debug(GetParam(), {"break guest::sys_getppid", "detach"},
                                  {"/bin/busybox", "sh", "-c", "echo $PPID"});
  EXPECT_EQ(guest.status, 0) << guest.describe() << gdb;
  EXPECT_EQ(guest.out, "1\n") << gdb;
}

// What comes from outside interrupts a guest that computes, also one that is traced.
TEST_P(Debugger, TheOutsideReachesAGuestThatIsLookedAt) {
  const std::uint16_t port = outside_test::free_port();
  std::thread client([&] { outside_test::come_twice(port); });
  const auto [guest, gdb] = debug(
      GetParam(), {"break guest::TcpSocket::arrive", "continue", "backtrace", "delete", "continue"},
      {"/outside", "busy", "80"},
      {"--timeout", "60", "--publish", std::to_string(port) + ":80", "--add",
       support::program("outside_program") + ":/outside"});
  client.join();
  EXPECT_EQ(guest.out, "computes\ncame\n") << guest.describe() << gdb;
  EXPECT_NE(gdb.find("guest::SocketDevice::interrupt"), std::string::npos) << gdb;
}

/// A tool that waits for gdb says so, and leaves no socket when it is told to end.
TEST(DebuggerSocket, GoesWithTheToolThatWaits) {
  const std::string socket =
      testing::TempDir() + "/debug-test-ended-" + std::to_string(getpid()) + ".socket";
  const std::string command = std::string(TYPETWO_BUILD "/typetwo-tool") +
                              " exec --on extended --memory 64M --debug " + socket +
                              " -- /bin/busybox true 2>&1 & pid=$!; while kill -0 $pid && ! [ -S " +
                              socket + " ]; do sleep 0.02; done; kill $pid; wait $pid; echo $?";
  FILE* shell = popen(command.c_str(), "r");
  ASSERT_NE(shell, nullptr);
  std::string text;
  char part[4096];
  while (std::fgets(part, sizeof part, shell)) text += part;
  pclose(shell);
  EXPECT_NE(text.find("waiting for gdb at " + socket), std::string::npos) << text;
  EXPECT_NE(text.find("143\n"), std::string::npos) << text;
  EXPECT_FALSE(std::filesystem::exists(socket));
}

INSTANTIATE_TEST_SUITE_P(Places, Debugger, testing::ValuesIn(support::guest_places()),
                         [](const auto& info) { return support::test_name(info.param); });

}  // namespace
