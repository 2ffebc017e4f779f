// See terminal.h. Keys are fetched whether or not anybody reads: Ctrl-C must reach a program that
// never does. So the device is armed at all times, and every irq_console pumps what has come
// through the line discipline. Reads, writes and ioctls run in their process's system call.
#include "guest/drivers/terminal.h"

#include "guest/abi/file_flags.h"
#include "guest/base/clock.h"
#include "guest/base/log.h"
#include "guest/drivers/console.h"
#include "guest/drivers/line_discipline.h"
#include "guest/drivers/ring.h"
#include "guest/platform.h"
#include "guest/proc/job_control.h"
#include "guest/proc/process.h"
#include "guest/sched/wait_queue.h"

namespace guest {
namespace {

constexpr std::uint64_t tenth_of_a_second_ns = 100'000'000;
constexpr Events readable_events = abi::poll_in | abi::poll_rdnorm,
                 writable_events = abi::poll_out | abi::poll_wrnorm,
                 hung_up_events = readable_events | writable_events | abi::poll_err | abi::poll_hup;
// Each byte may become two, and a little is left for echoes.
constexpr std::size_t room_for_output = 512;

class ConsoleTerminal final : public TerminalSide {
 public:
  constexpr ConsoleTerminal() = default;

  void begin(int session);
  void interrupt();
  void release(const Process& process);
  void adopt(bool only_if_free);
  [[nodiscard]] int foreground() const { return foreground_; }
  [[nodiscard]] bool controls(const Process& process) const {
    return session_ != 0 && process.session == session_;
  }

  Result<std::size_t> read(UserAddress to, std::size_t bytes, bool nonblocking);
  Result<std::size_t> write(Source from, std::size_t bytes, bool nonblocking);
  Result<std::int64_t> ioctl(std::uint32_t request, UserAddress argument);
  [[nodiscard]] Events state() const;

  // TerminalSide: what the line discipline says while keys are pumped.
  void show(char c) override { console_show(c); }
  void raise(int signal) override {
    if (foreground_) (void)send_signal_to_group(foreground_, signal_from_kernel(signal));
  }
  void resume_output() override { events.notify(writable_events); }

  WaitQueue events;

 private:
  void pump();
  void take_size();
  [[nodiscard]] bool in_background() const;
  [[nodiscard]] std::uint32_t wanted() const;
  [[nodiscard]] bool readable() const;
  [[nodiscard]] bool writable() const;
  Result<> wait_for_input(bool nonblocking);
  Result<> may_change();
  Result<> set(std::uint32_t request, UserAddress argument);
  Result<> set_foreground(int group);
  Result<> set_size(UserAddress argument);
  Result<> control(std::uint64_t steal);
  Result<> disown();

  LineDiscipline line_;
  int session_ = 0, foreground_ = 0;  // 0: none
  bool hung_up_ = false;
  std::uint32_t host_size_ = 0, size_ = 0;  // rows << 16 | columns
};

constinit ConsoleTerminal terminal;

void log_to_terminal(std::string_view text) {
  for (char c : text) {
    if (c == '\n') console_show('\r');
    console_show(c);
  }
  console_shown();
}

// -- Keys.

void ConsoleTerminal::begin(int session) {
  abi::Terminal settings = abi::usual_terminal;
  settings.input |= abi::t_iutf8;
  line_.set(settings);
  session_ = foreground_ = session;
  host_size_ = size_ = shared_info().console_size.load(std::memory_order_relaxed);
  set_log_sink(log_to_terminal);
  pump();
}

void ConsoleTerminal::interrupt() {
  take_size();
  pump();
  if (writable()) events.notify(writable_events);
}

// Every fill either brings bytes, ends the terminal, or leaves the device armed.
void ConsoleTerminal::pump() {
  auto& ring = rings().console_in;
  bool typed = false;
  while (!hung_up_) {
    for (; ring_used(ring) && line_.accepts(); typed = true)
      line_.receive(static_cast<char>(ring_get(ring)), *this);
    if (ring_used(ring)) break;  // a reader will make room, and pump again
    std::int64_t state = console_fill();
    if (ring_used(ring)) continue;
    if (state == 0) break;
    hung_up_ = true;
    events.notify(hung_up_events);
    raise(sig_hup);
    raise(sig_cont);
  }
  if (typed) console_shown();
  if (readable()) events.notify(readable_events);
}

void ConsoleTerminal::take_size() {
  std::uint32_t now = shared_info().console_size.load(std::memory_order_relaxed);
  if (now == host_size_) return;
  host_size_ = size_ = now;
  raise(sig_winch);
}

// -- Sessions.

bool ConsoleTerminal::in_background() const {
  const Process& self = current_process();
  return controls(self) && self.group != foreground_;
}

void ConsoleTerminal::adopt(bool only_if_free) {
  const Process& self = current_process();
  if (self.session != self.pid || (only_if_free && session_ != 0)) return;
  session_ = self.session;
  foreground_ = self.group;
}

void ConsoleTerminal::release(const Process& process) {
  if (session_ == 0 || process.pid != session_) return;
  raise(sig_hup);
  raise(sig_cont);
  session_ = foreground_ = 0;
}

// -- Reading.

/// As many bytes as make a read worth its while.
std::uint32_t ConsoleTerminal::wanted() const {
  if (line_.canonical()) return 1;
  const auto& special = line_.settings().characters;
  return special[abi::v_time] != 0 || special[abi::v_min] == 0 ? 1 : special[abi::v_min];
}

bool ConsoleTerminal::readable() const {
  return hung_up_ || line_.readable() >= wanted();
}

bool ConsoleTerminal::writable() const {
  return !line_.stopped() && console_room() >= room_for_output;
}

Events ConsoleTerminal::state() const {
  if (hung_up_) return hung_up_events;
  return (readable() ? readable_events : 0) | (writable() ? writable_events : 0);
}

// VMIN and VTIME: without VMIN, VTIME limits the whole wait. (With both, Linux's timer starts at
// the first byte, which here ends the wait.)
Result<> ConsoleTerminal::wait_for_input(bool nonblocking) {
  const auto& special = line_.settings().characters;
  bool timed = !line_.canonical() && special[abi::v_min] == 0;
  std::uint64_t deadline = timed ? monotonic_ns() + special[abi::v_time] * tenth_of_a_second_ns : 0;
  while (!readable()) {
    if (in_background()) return stop_background_group(sig_ttin);
    if (timed && special[abi::v_time] == 0) return Errno::timedout;
    if (nonblocking) return Errno::again;
    TRY(events.wait(readable_events, deadline));
  }
  return {};
}

Result<std::size_t> ConsoleTerminal::read(UserAddress to, std::size_t bytes, bool nonblocking) {
  if (in_background()) return stop_background_group(sig_ttin);
  if (bytes == 0) return std::size_t{0};
  auto waited = wait_for_input(nonblocking);
  if (!waited.ok()) {
    if (waited.error() == Errno::timedout) return std::size_t{0};
    return waited.error();
  }
  char part[256];
  bool ended = false;
  auto read = in_parts(bytes, [&](std::size_t done) -> Result<std::size_t> {
    std::size_t most = bytes - done < sizeof part ? bytes - done : sizeof part;
    std::size_t taken = ended ? 0 : line_.take(part, most, ended);
    std::size_t moved = TRY(move_to_user(to + done, part, taken));
    if (moved < taken) ended = true;  // the rest is lost, as on Linux, but no more than that
    return moved;
  });
  pump();  // there may have been no room
  return read;
}

// -- Writing.

Result<std::size_t> ConsoleTerminal::write(Source from, std::size_t bytes, bool nonblocking) {
  if ((line_.settings().local & abi::t_tostop) && in_background() && would_take(sig_ttou))
    return stop_background_group(sig_ttou);
  char part[room_for_output / 2];
  auto written = in_parts(bytes, [&](std::size_t done) -> Result<std::size_t> {
    while (!writable()) {
      console_shown();
      if (writable()) break;
      if (nonblocking) return Errno::again;
      TRY(events.wait(writable_events));
    }
    std::size_t now = bytes - done < sizeof part ? bytes - done : sizeof part;
    now = TRY((from + done).move_to(part, now));
    for (std::size_t i = 0; i < now; ++i) line_.write(part[i], *this);
    return now;
  });
  console_shown();
  return written;
}

// -- Settings.

/// From the background only with SIGTTOU blocked or ignored.
Result<> ConsoleTerminal::may_change() {
  if (in_background() && would_take(sig_ttou)) return stop_background_group(sig_ttou);
  return {};
}

Result<> ConsoleTerminal::set(std::uint32_t request, UserAddress argument) {
  auto settings = TRY(get_user<abi::Terminal>(argument));
  TRY(may_change());
  if (request == abi::tcsetsf) line_.flush();
  line_.set(settings);
  if (writable()) events.notify(writable_events);
  if (readable()) events.notify(readable_events);
  return {};
}

Result<> ConsoleTerminal::set_foreground(int group) {
  if (!controls(current_process())) return Errno::notty;
  TRY(may_change());
  if (group < 0) return Errno::inval;
  if (!session_has_group(session_, group)) return Errno::perm;
  foreground_ = group;
  return {};
}

Result<> ConsoleTerminal::set_size(UserAddress argument) {
  auto size = TRY(get_user<abi::WindowSize>(argument));
  std::uint32_t wanted = static_cast<std::uint32_t>(size.rows) << 16 | size.columns;
  if (wanted != size_) {
    size_ = wanted;
    raise(sig_winch);
  }
  return {};
}

Result<> ConsoleTerminal::control(std::uint64_t steal) {
  const Process& self = current_process();
  if (self.session != self.pid) return Errno::perm;
  if (controls(self)) return {};
  if (session_ != 0 && steal != 1) return Errno::perm;
  adopt(false);
  return {};
}

Result<> ConsoleTerminal::disown() {
  const Process& self = current_process();
  if (!controls(self)) return Errno::notty;
  if (self.pid != session_) return Errno::perm;  // only a whole session can let go of it here
  release(self);
  return {};
}

Result<std::int64_t> ConsoleTerminal::ioctl(std::uint32_t request, UserAddress argument) {
  switch (request) {
    case abi::tcgets:
      TRY(put_user(argument, line_.settings()));
      return std::int64_t{0};
    case abi::tcsets:
    case abi::tcsetsw:
    case abi::tcsetsf:
      TRY(set(request, argument));
      return std::int64_t{0};
    case abi::tcflsh:
      TRY(may_change());
      if (argument.value != abi::tcoflush) line_.flush();
      return std::int64_t{0};
    case abi::tcsbrk:
    case abi::tcxonc:
      return std::int64_t{0};
    case abi::tiocgpgrp:
    case abi::tiocgsid:
      if (!controls(current_process())) return Errno::notty;
      TRY(put_user(argument, request == abi::tiocgsid ? session_ : foreground_));
      return std::int64_t{0};
    case abi::tiocspgrp:
      TRY(set_foreground(TRY(get_user<std::int32_t>(argument))));
      return std::int64_t{0};
    case abi::tiocsctty:
      TRY(control(argument.value));
      return std::int64_t{0};
    case abi::tiocnotty:
      TRY(disown());
      return std::int64_t{0};
    case abi::tiocgwinsz:
      TRY(put_user(argument, abi::WindowSize{static_cast<std::uint16_t>(size_ >> 16),
                                             static_cast<std::uint16_t>(size_), 0, 0}));
      return std::int64_t{0};
    case abi::tiocswinsz:
      TRY(set_size(argument));
      return std::int64_t{0};
    case abi::fionread:
      TRY(put_user(argument, static_cast<std::int32_t>(line_.readable())));
      return std::int64_t{0};
    case abi::tiocoutq:
      TRY(put_user(argument, std::int32_t{0}));
      return std::int64_t{0};
    default:
      return Errno::notty;
  }
}

class TerminalFile final : public File {
 public:
  using File::File;
  Result<std::size_t> read(UserAddress to, std::size_t bytes) override {
    return terminal.read(to, bytes, flags & abi::o_nonblock);
  }
  Result<std::size_t> write(Source from, std::size_t bytes) override {
    return terminal.write(from, bytes, flags & abi::o_nonblock);
  }
  Result<std::int64_t> ioctl(std::uint32_t request, std::uint64_t argument) override {
    return terminal.ioctl(request, UserAddress{argument});
  }
  std::uint32_t poll_state() override { return terminal.state(); }
  WaitQueue* events() override { return &terminal.events; }
  [[nodiscard]] bool seekable() const override { return false; }
};

class HangUp final : public ProcessObserver {
 public:
  void process_ends(const Process& process, int) override { terminal.release(process); }
};

constinit HangUp hang_up;

}  // namespace

bool has_terminal() {
  return boot_info().options & vmi::boot_terminal;
}

void give_terminal(int session) {
  if (has_terminal()) terminal.begin(session);
}

void terminal_interrupt() {
  terminal.interrupt();
}

ProcessObserver& terminal_observer() {
  return hang_up;
}

Result<Ref<File>> open_terminal_file(Ref<Inode> inode, std::uint32_t flags) {
  auto file = TRY(make_ref<TerminalFile>(std::move(inode), flags));
  if (scheduler.started() && !(flags & abi::o_noctty)) terminal.adopt(true);
  return Ref<File>(std::move(file));
}

bool on_terminal(const Process& process) {
  return terminal.controls(process);
}

int terminal_foreground() {
  return terminal.foreground();
}

}  // namespace guest
