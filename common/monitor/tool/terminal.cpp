// See terminal.h. What a signal handler needs is static: there is one terminal on stdin.
#include "monitor/tool/terminal.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "monitor/tool/error.h"

namespace monitor {
namespace {

/// What ends the tool unless somebody has chosen to ignore it. In raw mode none of them comes from
/// the keyboard.
constexpr int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGILL,  SIGABRT,
                          SIGBUS, SIGFPE, SIGSEGV, SIGUSR1, SIGUSR2, SIGALRM};

termios settings_before;
struct sigaction actions_before[sizeof deadly / sizeof *deadly];
struct sigaction stop_before, continue_before;

/// From the background, setting the terminal would stop us: not while SIGTTOU is blocked.
void set_terminal(const termios& settings) {
  sigset_t block, before;
  sigemptyset(&block);
  sigaddset(&block, SIGTTOU);
  sigprocmask(SIG_BLOCK, &block, &before);
  tcsetattr(STDIN_FILENO, TCSANOW, &settings);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

void make_raw() {
  termios raw = settings_before;
  cfmakeraw(&raw);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  set_terminal(raw);
}

/// SA_RESETHAND: raised again, it ends the tool as it would have.
void restore_and_die(int signal) {
  set_terminal(settings_before);
  raise(signal);
}

/// Somebody stopped the tool, perhaps used the terminal meanwhile, and lets it go on.
void on_continue(int) {
  const int saved = errno;
  make_raw();
  errno = saved;
}

void catch_deadly_signals() {
  for (std::size_t i = 0; i < sizeof deadly / sizeof *deadly; ++i) {
    sigaction(deadly[i], nullptr, &actions_before[i]);
    if (actions_before[i].sa_handler != SIG_DFL) continue;  // ignored: it stays so
    struct sigaction action {};
    action.sa_handler = restore_and_die;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    sigaction(deadly[i], &action, nullptr);
  }
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;  // a stopped launcher with a running guest helps nobody
  sigaction(SIGTSTP, &ignore, &stop_before);
  struct sigaction resume {};
  resume.sa_handler = on_continue;
  resume.sa_flags = SA_RESTART;
  sigaction(SIGCONT, &resume, &continue_before);
}

void release_signals() {
  for (std::size_t i = 0; i < sizeof deadly / sizeof *deadly; ++i)
    sigaction(deadly[i], &actions_before[i], nullptr);
  sigaction(SIGTSTP, &stop_before, nullptr);
  sigaction(SIGCONT, &continue_before, nullptr);
}

sigset_t window_change() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGWINCH);
  return set;
}

}  // namespace

std::uint32_t terminal_size(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return static_cast<std::uint32_t>(size.ws_row) << 16 | size.ws_col;
}

Terminal::Terminal() {
  if (tcgetattr(STDIN_FILENO, &settings_before) != 0)
    throw_errno("cannot read the terminal's settings", "give stdin a terminal");
  const sigset_t set = window_change();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  resized_fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (resized_fd_ < 0) throw_errno("cannot watch the terminal's size");
  catch_deadly_signals();
  make_raw();
}

Terminal::~Terminal() {
  set_terminal(settings_before);
  release_signals();
  close(resized_fd_);
  const sigset_t set = window_change();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

bool Terminal::pass_on_size(vmi::SharedInfo& shared) const {
  signalfd_siginfo info;
  bool changed = false;
  while (read(resized_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) changed = true;
  if (!changed) return false;
  shared.console_size.store(terminal_size(STDIN_FILENO));
  shared.pending.fetch_or(1u << vmi::irq_console);
  return true;
}

}  // namespace monitor
