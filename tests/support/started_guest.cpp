// See started_guest.h.
#include "tests/support/started_guest.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/tool.h"

namespace support {

StartedGuest::StartedGuest(const std::string& place, const std::string& script) {
  EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(input_, O_CLOEXEC), 0);
  tool_ = start_tool({"exec", "--on", place, "--memory", "64M", "--timeout", "60", "--",
                      "/bin/busybox", "sh", "-c", script},
                     ends_[1], ends_[1], input_[0]);
  close(ends_[1]);
  close(input_[0]);
  while (said_.find("ready\n") == std::string::npos && read_some()) {
  }
}

StartedGuest::~StartedGuest() {
  close(ends_[0]);
  close(input_[1]);
}

bool StartedGuest::runs() const {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(tool_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

void StartedGuest::tell() const {
  EXPECT_EQ(write(input_[1], "\n", 1), 1);
}

int StartedGuest::end_by(int signal) {
  kill(tool_, signal);
  int status = 0;
  waitpid(tool_, &status, 0);
  return status;
}

int StartedGuest::status() {
  while (read_some()) {
  }
  int status = 0;
  waitpid(tool_, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool StartedGuest::read_some() {
  char block[4096];
  const ssize_t count = read(ends_[0], block, sizeof block);
  if (count > 0) said_.append(block, static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace support
