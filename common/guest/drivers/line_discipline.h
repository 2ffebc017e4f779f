// LineDiscipline: what makes a stream of keys and bytes a terminal. Typed bytes become lines that
// can be edited (canonical mode) or go through as they are; they are echoed; some mean a signal.
// Written bytes get their carriage returns. It waits for nothing and knows no process: the terminal
// driver (terminal.cpp) feeds it and acts on what it says.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/abi/terminal.h"

namespace guest {

/// Where the discipline's words go.
class TerminalSide {
 public:
  virtual void show(char c) = 0;       // to the screen, as it is
  virtual void raise(int signal) = 0;  // for the foreground processes
  virtual void resume_output() = 0;    // Ctrl-Q: writers may go on

 protected:
  ~TerminalSide() = default;
};

class LineDiscipline {
 public:
  static constexpr std::uint32_t capacity = 4096;

  constexpr LineDiscipline() = default;

  [[nodiscard]] const abi::Terminal& settings() const { return settings_; }
  void set(const abi::Terminal& settings);

  // -- Keys.
  /// False: no room, come again when somebody has read.
  [[nodiscard]] bool accepts() const { return canonical() || room(); }
  void receive(char typed, TerminalSide& side);
  /// Forgets what has been typed and not read.
  void flush();

  // -- Readers.
  [[nodiscard]] bool canonical() const { return settings_.local & abi::t_icanon; }
  /// Bytes that a read could get now; in canonical mode not 0 as well when a line or an end of file
  /// waits.
  [[nodiscard]] std::uint32_t readable() const { return committed_ - read_; }
  /// Takes bytes, in canonical mode from one line at most. `ended`: that line, or file, is over.
  std::size_t take(char* to, std::size_t most, bool& ended);

  // -- Writers.
  /// One written byte, as the screen gets it.
  void write(char c, TerminalSide& side);
  /// Ctrl-S has stopped output.
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  enum class Mark : std::uint8_t { none, line_end, file_end };

  [[nodiscard]] bool local(std::uint32_t flag) const { return settings_.local & flag; }
  [[nodiscard]] bool input(std::uint32_t flag) const { return settings_.input & flag; }
  [[nodiscard]] bool is(abi::SpecialCharacter which, char c) const;
  [[nodiscard]] bool room() const { return end_ - read_ < capacity - 1; }
  [[nodiscard]] char at(std::uint32_t i) const { return text_[i % capacity]; }
  bool control_flow(char c, TerminalSide& side);
  bool signal(char c, TerminalSide& side);
  bool edit(char c, TerminalSide& side);
  void insert(char c, TerminalSide& side);
  void put(char c, Mark mark);
  void echo(char c, TerminalSide& side);
  void erase_one(TerminalSide& side);
  void erase_word(TerminalSide& side);
  void kill_line(char c, TerminalSide& side);
  void reprint(char c, TerminalSide& side);
  [[nodiscard]] std::uint32_t width(std::uint32_t from, std::uint32_t to) const;
  [[nodiscard]] bool is_continuation(char c) const;

  abi::Terminal settings_ = abi::usual_terminal;
  bool literal_next_ = false;  // after Ctrl-V
  bool stopped_ = false;
  std::uint32_t column_ = 0;       // of the cursor
  std::uint32_t line_column_ = 0;  // where the line being edited began on the screen
  // Positions run freely. [read_, committed_): for readers; [committed_, end_): still edited.
  std::uint32_t read_ = 0, committed_ = 0, end_ = 0;
  char text_[capacity] = {};
  Mark marks_[capacity] = {};
};

}  // namespace guest
