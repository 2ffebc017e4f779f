// Starting the first process: boot's last step, on the boot stack, before any thread exists.
#include "guest/exec/first_process.h"

#include "guest/base/log.h"
#include "guest/drivers/console.h"
#include "guest/drivers/terminal.h"
#include "guest/exec/program_start.h"
#include "guest/platform.h"
#include "guest/proc/lifecycle.h"
#include "guest/vfs/fs_context.h"
#include "guest/vfs/mounts.h"

namespace guest {

namespace {

constexpr int not_found = 127, not_executable = 126;  // the shell's exit codes for these

struct Reason {
  Errno error;
  int code;
  const char* text;
};
constexpr Reason reasons[] = {
    {Errno::noent, not_found, "no such file in the guest's root tree (see --root and --add)"},
    {Errno::notdir, not_found, "a part of the path is not a directory"},
    {Errno::loop, not_found, "too many symbolic links"},
    {Errno::nametoolong, not_found, "the path is too long"},
    {Errno::acces, not_executable, "not an executable file (chmod +x it in the root tree)"},
    {Errno::noexec, not_executable, "not an x86-64 ELF program, or a damaged one"},
    {Errno::libbad, not_executable, "its dynamic linker is not an x86-64 ELF file, or damaged"},
    {Errno::nomem, not_executable, "not enough guest memory (see --memory)"},
    {Errno::toobig, not_executable, "arguments and environment are too long"},
};

[[noreturn]] void give_up(std::string_view program, Errno error) {
  Reason reason{error, not_executable, "cannot be loaded"};
  for (const Reason& known : reasons)
    if (known.error == error) reason = known;
  log("typetwo guest: cannot run %.*s: %s\n", static_cast<int>(program.size()), program.data(),
      reason.text);
  hypercalls().shutdown(exit_status(reason.code));
}

// Resources before the program: paths start at the current process's root.
Result<Thread*> make_first_thread() {
  TRY(processes.make_init());
  Ref<Process> process = TRY(processes.create());
  process->files = TRY(FileTable::create());
  TRY(open_console_streams(*process->files));
  process->fs = TRY(FsContext::create(root_inode()));
  process->add(*TRY(Thread::create(*process, process->pid)));
  process->parent = &processes.init();
  process->parent->children.push_back(*process);
  processes.add(process);
  give_terminal(process->session);
  return process->leader;
}

Result<> load(Thread& first, const Vec<String>& argv, const Vec<String>& envp) {
  std::string_view path = argv[0].view();
  ProgramStrings strings(most_string_bytes(first.process));
  TRY(strings.push(argv));
  TRY(strings.push(envp));
  TRY(strings.push(path));
  LoadedProgram program = TRY(
      load_program({TRY(first.process.fs->find(path)), path, last_part(path), strings, argv.size()},
                   first.credentials, first.process.limits));
  first.process.space = program.space;
  first.process.program = program.program;
  first.credentials = std::move(program.credentials);
  first.set_name(last_part(path));
  start_program(first, program);
  return {};
}

}  // namespace

void start_first_process(const Vec<String>& argv, const Vec<String>& envp) {
  if (argv.empty() || argv[0].size() == 0) give_up("(no program named)", Errno::noent);
  auto thread = make_first_thread();
  if (!thread.ok()) give_up(argv[0].view(), thread.error());
  Thread& first = *thread.value();
  scheduler.adopt(first);  // from here on there is a current process
  auto loaded = load(first, argv, envp);
  if (!loaded.ok()) give_up(argv[0].view(), loaded.error());
  scheduler.start();
}

}  // namespace guest
