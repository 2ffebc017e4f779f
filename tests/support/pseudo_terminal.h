// The tool on a pseudo-terminal, as a person has it: keys are typed, the screen is read, never
// waited for beyond a deadline.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <string>
#include <vector>

namespace support {

class PseudoTerminal {
 public:
  /// Starts the tool as leader of a session whose terminal this is.
  explicit PseudoTerminal(const std::vector<std::string>& words, int rows = 33, int columns = 99,
                          const char* term = "xterm");
  /// Ends the tool if it still runs.
  ~PseudoTerminal();
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  void type(const std::string& keys) const;
  /// Reads until `text` has appeared on the screen, and forgets all up to it; false (and what there
  /// is stays) if it does not within `seconds`.
  bool shows(const std::string& text, double seconds = 20);
  void resize(int rows, int columns) const;
  /// The settings now, as the host's programs see them.
  [[nodiscard]] termios settings() const;
  /// The settings before the tool was there.
  [[nodiscard]] const termios& at_start() const { return at_start_; }
  /// Waits for the tool's end: exit status, 128 + n for signal n, -1 at the deadline.
  int wait(double seconds = 20);
  void kill(int signal) const;
  [[nodiscard]] const std::string& screen() const { return screen_; }

 private:
  bool read_more(double deadline);

  int master_ = -1, slave_ = -1;
  pid_t tool_ = -1;
  termios at_start_{};
  std::string screen_;
};

}  // namespace support
