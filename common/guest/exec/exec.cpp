// execve: the current process goes on as another program. Called by process_calls.cpp, after the
// arguments have left user memory. Loading the program is mm's part (exec/exec_load.h); this is
// what else changes with it.
#include <algorithm>

#include "guest/exec/exec_load.h"
#include "guest/exec/program_start.h"
#include "guest/platform.h"
#include "guest/proc/futex.h"
#include "guest/proc/lifecycle.h"
#include "guest/vfs/file_table.h"
#include "guest/vfs/fs_context.h"

namespace guest {

void start_program(Thread& thread, const LoadedProgram& program) {
  *thread.frame = {};
  thread.frame->rip = program.entry;
  thread.frame->rsp = program.stack_pointer;
  thread.frame->rflags = vmi::rflags_fixed;
  thread.frame->cs = vmi::user_cs;
  thread.frame->ss = vmi::user_ss;
  thread.reset_vectors();
}

static Result<Share<SignalHandlers>> own_handlers(const Process& process) {
  if (!process.handlers.shared()) return process.handlers;
  auto own = TRY(make_ref<SignalHandlers>());
  own->copy(*process.handlers);
  return Share<SignalHandlers>(std::move(own));
}

/// A program that runs as somebody else: its user must not have prepared its end, or its memory.
static void forget_what_a_user_asked_for(Process& process) {
  process.death_signal = 0;
  process.personality = 0;
  std::uint64_t& stack = process.limits[abi::limit_stack].current;
  stack = std::min(stack, stack_limit);
}

Result<> execute(const ExecRequest& request) {
  Thread& self = current_thread();
  Process& process = self.process;
  // Descriptors and handlers that another process has, too, must not change under it.
  Share<FileTable> files = process.files.shared() ? TRY(process.files->clone()) : process.files;
  Share<SignalHandlers> handlers = TRY(own_handlers(process));
  const bool words_wait = has_user_words(self);
  LoadedProgram program = TRY(load_program(request, self.credentials, process.limits));
  if (auto alone = end_other_threads(); !alone.ok()) {
    process.space->activate();
    return alone;
  }

  // Nothing fails from here on.
  if (words_wait) {
    process.space->activate();
    release_user_words(self);
  }
  process.peak_of_earlier = process.peak_memory();
  process.space = program.space;
  process.space->activate();
  process.program = program.program;
  process.files = std::move(files);
  process.files->close_on_exec();
  process.handlers = std::move(handlers);
  reset_signal_handlers(*process.handlers);
  delete_posix_timers(process);
  self.credentials = std::move(program.credentials);
  if (self.credentials.secure()) forget_what_a_user_asked_for(process);
  self.robust_list = self.clear_child_tid = 0;
  self.alternate_stack = {0, abi::ss_disable, 0, 0};
  process.exit_signal = sig_chld;
  process.executed = true;
  self.set_name(request.name);
  start_program(self, program);
  process.release_vfork_parent();
  ++shared_info().counters.execs;
  return {};
}

}  // namespace guest
