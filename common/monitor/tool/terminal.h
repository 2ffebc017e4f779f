// Terminal: the host's terminal while a guest shell has it. Raw from construction to destruction,
// so that each key reaches the guest's own line discipline, Ctrl-C too. The settings come back at
// the end, however that comes: also when a signal ends the tool. Made by `typetwo shell`; the
// launchers pass changes of the window's size on to the guest.
#pragma once

#include <cstdint>

#include "vmi/shared_info.h"

namespace monitor {

class Terminal {
 public:
  /// Takes stdin's terminal. Throws HostError when it cannot be set.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Readable when the window's size may have changed.
  [[nodiscard]] int resized_fd() const { return resized_fd_; }
  /// If it has, tells the guest by size and pending bit: true. Waking a sleeping guest is the
  /// launcher's part.
  bool pass_on_size(vmi::SharedInfo& shared) const;

 private:
  int resized_fd_;
};

/// rows << 16 | columns of the terminal on this descriptor; 0 when it tells none.
std::uint32_t terminal_size(int fd);

}  // namespace monitor
