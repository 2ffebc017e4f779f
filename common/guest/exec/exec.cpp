// execve: the current process goes on as another program. Called by process_calls.cpp, after the
// arguments have left user memory. Loading the program is mm's part (mm/exec_load.h); this is what
// else changes with it.
#include "guest/exec/exec_load.h"
#include "guest/exec/program_start.h"
#include "guest/platform.h"
#include "guest/proc/lifecycle.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"

namespace guest {

void name_thread(Thread& thread, std::string_view path) {
  std::size_t slash = path.rfind('/');
  std::string_view base = slash == path.npos ? path : path.substr(slash + 1);
  std::size_t i = 0;
  for (; i < base.size() && i < sizeof thread.name - 1; ++i) thread.name[i] = base[i];
  thread.name[i] = '\0';
}

// Only /proc would miss it.
void note_program(Process& process, LoadedProgram& program) {
  auto name = make_ref<ProgramName>();
  auto absolute = process.fs->absolute_path(program.path.view());
  process.program = {};
  if (!name.ok() || !absolute.ok()) return;
  name.value()->path = absolute.release();
  name.value()->arguments = std::move(program.arguments);
  process.program = name.release();
}

void start_program(Thread& thread, const LoadedProgram& program) {
  *thread.frame = {};
  thread.frame->rip = program.entry;
  thread.frame->rsp = program.stack_pointer;
  thread.frame->rflags = vmi::rflags_fixed;
  thread.frame->cs = vmi::user_cs;
  thread.frame->ss = vmi::user_ss;
  thread.reset_vectors();
}

Result<> execute(std::string_view path, const Vec<String>& argv, const Vec<String>& envp) {
  Thread& self = current_thread();
  Process& process = self.process;
  Ref<Inode> file = TRY(current_process().fs->resolve(path));
  // Descriptors shared with a vfork parent must not be closed under it.
  Ref<FileTable> files = process.files;
  if (process.files->references() > 2) files = TRY(process.files->clone());
  LoadedProgram program = TRY(load_program(file, argv, envp, path, process.credentials));

  // Nothing fails from here on.
  process.space = program.space;
  note_program(process, program);
  process.files = std::move(files);
  process.files->close_on_exec();
  reset_signal_handlers(process);
  delete_posix_timers(process);
  process.credentials.suid = process.credentials.euid;
  process.credentials.sgid = process.credentials.egid;
  self.alternate_stack = {0, abi::ss_disable, 0, 0};
  self.clear_child_tid = 0;
  process.exit_signal = sig_chld;
  name_thread(self, path);
  start_program(self, program);
  process.release_vfork_parent();
  ++shared_info().counters.execs;
  return {};
}

}  // namespace guest
