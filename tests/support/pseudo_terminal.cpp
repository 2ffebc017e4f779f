// See pseudo_terminal.h.
#include "tests/support/pseudo_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "tests/support/tool.h"

namespace support {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

PseudoTerminal::PseudoTerminal(const std::vector<std::string>& words, int rows, int columns,
                               const char* term) {
  winsize size{static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0, 0};
  // The slave stays open here too: its settings are looked at after the tool's end.
  if (openpty(&master_, &slave_, nullptr, nullptr, &size) != 0) {
    throw std::runtime_error("openpty");
  }
  fcntl(master_, F_SETFD, FD_CLOEXEC);
  at_start_ = settings();
  tool_ = fork();
  if (tool_ == 0) {
    login_tty(slave_);
    setenv("TERM", term, 1);
    become_tool(words);
  }
}

PseudoTerminal::~PseudoTerminal() {
  if (tool_ > 0) {
    ::kill(tool_, SIGKILL);
    waitpid(tool_, nullptr, 0);
  }
  close(master_);
  close(slave_);
}

void PseudoTerminal::type(const std::string& keys) const {
  if (write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
    throw std::runtime_error("cannot type");
  }
}

bool PseudoTerminal::read_more(double deadline) {
  const double left = deadline - now();
  if (left <= 0) return false;
  pollfd readable{master_, POLLIN, 0};
  if (poll(&readable, 1, static_cast<int>(left * 1000) + 1) <= 0) return errno == EINTR;
  std::array<char, 4096> part;
  const ssize_t got = read(master_, part.data(), part.size());
  if (got <= 0) return false;
  screen_.append(part.data(), static_cast<std::size_t>(got));
  return true;
}

bool PseudoTerminal::shows(const std::string& text, double seconds) {
  const double deadline = now() + seconds;
  for (;;) {
    if (const auto at = screen_.find(text); at != std::string::npos) {
      screen_.erase(0, at + text.size());
      return true;
    }
    if (!read_more(deadline)) return false;
  }
}

void PseudoTerminal::resize(int rows, int columns) const {
  winsize size{static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0, 0};
  ioctl(master_, TIOCSWINSZ, &size);
}

termios PseudoTerminal::settings() const {
  termios settings{};
  tcgetattr(slave_, &settings);
  return settings;
}

int PseudoTerminal::wait(double seconds) {
  const double deadline = now() + seconds;
  int status = 0;
  while (waitpid(tool_, &status, WNOHANG) == 0) {
    if (now() >= deadline) return -1;
    (void)read_more(now() + 0.02);  // a full terminal would keep it from ending
  }
  tool_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void PseudoTerminal::kill(int signal) const {
  ::kill(tool_, signal);
}

}  // namespace support
