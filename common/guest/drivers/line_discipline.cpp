// See line_discipline.h. Called by the terminal driver: receive from interrupts, the rest from
// system calls. The rules are those of termios(3), as Linux reads them.
#include "guest/drivers/line_discipline.h"

#include "guest/proc/signal.h"

namespace guest {

namespace {

bool is_control(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < ' ' || byte == 0x7f;
}
bool is_word(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= 'a' && byte <= 'z') || byte == '_' || byte >= 0x80;
}
constexpr std::uint32_t next_tab(std::uint32_t column) {
  return (column | 7) + 1;
}

}  // namespace

bool LineDiscipline::is(abi::SpecialCharacter which, char c) const {
  return c != '\0' && settings_.characters[which] == static_cast<std::uint8_t>(c);
}

bool LineDiscipline::is_continuation(char c) const {
  return input(abi::t_iutf8) && (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// What has been typed so far can be read under the new rules at once.
void LineDiscipline::set(const abi::Terminal& settings) {
  bool was_canonical = canonical();
  settings_ = settings;
  if (canonical() != was_canonical) committed_ = end_;
  if (!local(abi::t_icanon)) literal_next_ = false;
  if (!input(abi::t_ixon)) stopped_ = false;
}

void LineDiscipline::flush() {
  read_ = committed_ = end_;
  literal_next_ = false;
}

void LineDiscipline::receive(char typed, TerminalSide& side) {
  char c = typed;
  if (input(abi::t_istrip)) c = static_cast<char>(c & 0x7f);
  if (literal_next_) {
    literal_next_ = false;
    return insert(c, side);
  }
  if (control_flow(c, side) || signal(c, side)) return;
  if (c == '\r') {
    if (input(abi::t_igncr)) return;
    if (input(abi::t_icrnl)) c = '\n';
  } else if (c == '\n' && input(abi::t_inlcr)) {
    c = '\r';
  }
  if (canonical() && edit(c, side)) return;
  insert(c, side);
}

bool LineDiscipline::control_flow(char c, TerminalSide& side) {
  if (!input(abi::t_ixon)) return false;
  if (is(abi::v_stop, c)) {
    stopped_ = true;
    return true;
  }
  bool start = is(abi::v_start, c);
  if (stopped_ && (start || input(abi::t_ixany))) {
    stopped_ = false;
    side.resume_output();
  }
  return start;
}

bool LineDiscipline::signal(char c, TerminalSide& side) {
  if (!local(abi::t_isig)) return false;
  int number = is(abi::v_intr, c)   ? sig_int
               : is(abi::v_quit, c) ? sig_quit
               : is(abi::v_susp, c) ? sig_tstp
                                    : 0;
  if (number == 0) return false;
  if (!local(abi::t_noflsh)) flush();
  if (stopped_) {
    stopped_ = false;
    side.resume_output();
  }
  echo(c, side);
  side.raise(number);
  return true;
}

/// Characters that change the line instead of becoming part of it.
bool LineDiscipline::edit(char c, TerminalSide& side) {
  bool extended = local(abi::t_iexten);
  if (is(abi::v_erase, c)) {
    if (end_ != committed_) erase_one(side);
    return true;
  }
  if (is(abi::v_kill, c)) {
    kill_line(c, side);
    return true;
  }
  if (is(abi::v_eof, c)) {
    put('\0', Mark::file_end);
    return true;
  }
  if (extended && is(abi::v_werase, c)) {
    erase_word(side);
    return true;
  }
  if (extended && is(abi::v_reprint, c)) {
    reprint(c, side);
    return true;
  }
  if (extended && is(abi::v_lnext, c)) {
    literal_next_ = true;
    if (local(abi::t_echo) && local(abi::t_echoctl)) {
      side.show('^');
      side.show('\b');
    }
    return true;
  }
  return false;
}

void LineDiscipline::insert(char c, TerminalSide& side) {
  bool ends = canonical() && (c == '\n' || is(abi::v_eol, c) || is(abi::v_eol2, c));
  // The last place is kept for the end of the line.
  if (!room() && !(ends && end_ - read_ < capacity)) {
    if (input(abi::t_imaxbel)) side.show('\a');
    return;
  }
  if (end_ == committed_) line_column_ = column_;
  if (c == '\n' && !local(abi::t_echo) && local(abi::t_echonl) && canonical())
    write(c, side);
  else
    echo(c, side);
  put(c, ends ? Mark::line_end : Mark::none);
}

void LineDiscipline::put(char c, Mark mark) {
  if (end_ - read_ >= capacity) return;
  text_[end_ % capacity] = c;
  marks_[end_ % capacity] = mark;
  ++end_;
  if (!canonical() || mark != Mark::none) committed_ = end_;
}

void LineDiscipline::echo(char c, TerminalSide& side) {
  if (!local(abi::t_echo)) return;
  if (is_control(c) && c != '\n' && c != '\t' && local(abi::t_echoctl)) {
    write('^', side);
    return write(static_cast<char>(c ^ 0x40), side);
  }
  write(c, side);
}

/// Columns that [from, to) of the edited line takes on the screen.
std::uint32_t LineDiscipline::width(std::uint32_t from, std::uint32_t to) const {
  std::uint32_t column = line_column_, before = column;
  for (std::uint32_t i = committed_; i != to; ++i) {
    if (i == from) before = column;
    if (at(i) == '\t')
      column = next_tab(column);
    else if (is_control(at(i)))
      column += local(abi::t_echoctl) ? 2 : 0;
    else
      column += is_continuation(at(i)) ? 0 : 1;
  }
  return column - before;
}

void LineDiscipline::erase_one(TerminalSide& side) {
  std::uint32_t start = end_ - 1;
  while (start != committed_ && is_continuation(at(start))) --start;
  if (local(abi::t_echo) && local(abi::t_echoe)) {
    for (std::uint32_t columns = width(start, end_); columns != 0; --columns) {
      for (char c : {'\b', ' ', '\b'}) side.show(c);
      if (column_) --column_;
    }
  } else {
    echo(static_cast<char>(settings_.characters[abi::v_erase]), side);
  }
  end_ = start;
}

void LineDiscipline::erase_word(TerminalSide& side) {
  while (end_ != committed_ && !is_word(at(end_ - 1))) erase_one(side);
  while (end_ != committed_ && is_word(at(end_ - 1))) erase_one(side);
}

void LineDiscipline::kill_line(char c, TerminalSide& side) {
  if (local(abi::t_echoke) && local(abi::t_echoe)) {
    while (end_ != committed_) erase_one(side);
    return;
  }
  echo(c, side);
  if (local(abi::t_echo) && local(abi::t_echok)) write('\n', side);
  end_ = committed_;
}

void LineDiscipline::reprint(char c, TerminalSide& side) {
  echo(c, side);
  if (local(abi::t_echo)) write('\n', side);
  line_column_ = column_;
  for (std::uint32_t i = committed_; i != end_; ++i) echo(at(i), side);
}

std::size_t LineDiscipline::take(char* to, std::size_t most, bool& ended) {
  std::size_t taken = 0;
  ended = false;
  while (read_ != committed_) {
    Mark mark = canonical() ? marks_[read_ % capacity] : Mark::none;
    if (mark == Mark::file_end) {
      ++read_;
      ended = true;
      return taken;
    }
    if (taken == most) return taken;
    to[taken++] = at(read_++);
    if (mark == Mark::line_end) {
      ended = true;
      return taken;
    }
  }
  return taken;
}

void LineDiscipline::write(char c, TerminalSide& side) {
  auto output = [&](std::uint32_t flag) { return (settings_.output & flag) != 0; };
  if (!output(abi::t_opost)) return side.show(c);
  if (c == '\r') {
    if (output(abi::t_onocr) && column_ == 0) return;
    if (output(abi::t_ocrnl)) c = '\n';
    column_ = 0;
  } else if (c == '\n' && output(abi::t_onlcr)) {
    side.show('\r');
    column_ = 0;
  } else if (c == '\t') {
    column_ = next_tab(column_);
  } else if (c == '\b') {
    if (column_) --column_;
  } else if (!is_control(c) && !is_continuation(c)) {
    ++column_;
  }
  side.show(c);
}

}  // namespace guest
