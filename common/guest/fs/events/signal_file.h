// SignalFile: what signalfd makes. Reading takes the reader's own pending signals, whoever made the
// file: those of its thread, and of its process.
#pragma once

#include "guest/fs/events/anonymous.h"
#include "guest/proc/signal.h"

namespace guest {

class SignalFile final : public AnonymousFile {
 public:
  SignalFile(Ref<Inode> inode, std::uint32_t flags, SignalSet taken)
      : AnonymousFile(std::move(inode), flags), taken_(taken) {}
  static constexpr char tag = 0;
  [[nodiscard]] const void* class_tag() const override { return &tag; }

  /// SIGKILL and SIGSTOP are for nobody to take.
  void take(SignalSet signals) { taken_ = signals; }

  Result<std::size_t> read(UserAddress to, std::size_t bytes) override;
  std::uint32_t poll_state() override;
  WaitQueue* events() override { return &signals_sent; }

 private:
  SignalSet taken_;
};

Result<Ref<File>> make_signal_file(SignalSet taken, std::uint32_t flags);

}  // namespace guest
