// See the header.
#include "guest/fs/events/process_file.h"

#include "guest/abi/file_flags.h"

namespace guest {

std::uint32_t ProcessFile::poll_state() {
  if (process->state != Process::State::zombie) return 0;
  return is_gone() ? abi::poll_in | abi::poll_hup : abi::poll_in;
}

bool ProcessFile::is_gone() const {
  return !process->table_node.linked();
}

Result<Ref<File>> make_process_file(Ref<Process> process, std::uint32_t flags) {
  return make_anonymous<ProcessFile>("[pidfd]", flags, std::move(process));
}

}  // namespace guest
