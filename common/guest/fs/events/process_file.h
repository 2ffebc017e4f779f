// ProcessFile: a pidfd. It means one process for ever, also when its number has become another's.
#pragma once

#include "guest/fs/events/anonymous.h"
#include "guest/proc/process.h"

namespace guest {

class ProcessFile final : public AnonymousFile {
 public:
  ProcessFile(Ref<Inode> inode, std::uint32_t flags, Ref<Process> process)
      : AnonymousFile(std::move(inode), flags), process(std::move(process)) {}
  static constexpr char tag = 0;
  [[nodiscard]] const void* class_tag() const override { return &tag; }

  const Ref<Process> process;

  /// Readable once the process has ended; there is nothing to read.
  std::uint32_t poll_state() override;
  WaitQueue* events() override { return &process->ended; }
  /// It has been waited for, too.
  [[nodiscard]] bool is_gone() const;
};

Result<Ref<File>> make_process_file(Ref<Process> process, std::uint32_t flags);

}  // namespace guest
