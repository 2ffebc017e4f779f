// The tool's entry: picks the subcommand, and is the one place where an error becomes a line on
// stderr and an exit status: 2 for wrong words, 1 for a host or input that does not allow it (exec:
// 125, so that it cannot be taken for the program's own).
#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include "monitor/error.h"
#include "monitor/message.h"
#include "monitor/standard_streams.h"
#include "workloads/harness/cli/commands.h"

namespace {

struct Command {
  const char* name;
  int (*run)(const cli::Words&);
  int failure_status;
  const char* about;
};

constexpr Command commands[] = {
    {"exec", cli::exec_main, 125, "run one program in a guest (or natively), as its first process"},
    {"shell", cli::shell_main, 125, "an interactive guest shell on this terminal"},
    {"run", cli::run_main, 1, "measure workloads on the configurations: table, results, figure"},
    {"plot", cli::plot_main, 1, "draw the figure again from results"},
    {"image", cli::image_main, 1, "make a disk image, or a folder, of installed Debian packages"},
    {"syscalls", cli::syscalls_main, 1,
     "the guest kernel's table of system calls, and what is missing"},
    {"doctor", cli::doctor_main, 1, "what this host offers, what that means, and the remedy"},
};

std::string usage() {
  std::string text = "usage: typetwo COMMAND [OPTIONS]\n\n";
  for (const auto& command : commands) {
    text += fmt::format("  {:<9} {}\n", command.name, command.about);
  }
  return text + "\n`typetwo COMMAND --help` tells more.\n";
}

/// Whoever could not be told what was asked for is told so by the exit status.
int delivered(int status, int failure_status) {
  bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!failed) failed = std::fclose(stdout) != 0 && errno != EBADF;  // EBADF: nothing was printed
  if (failed) {
    monitor::say("typetwo: cannot write to stdout: {}; give it another place\n",
                 std::strerror(errno));
  }
  return (failed || std::ferror(stderr) != 0) && status == 0 ? failure_status : status;
}

int run(const Command& command, const cli::Words& words) {
  try {
    return command.run(words);
  } catch (const monitor::UsageError& error) {
    monitor::say("typetwo {}: {}\n", command.name, error.what());
    return 2;
  } catch (const std::bad_alloc&) {
    monitor::say("typetwo {}: out of memory; free some or give a smaller --memory\n", command.name);
    return command.failure_status;
  } catch (const std::exception& error) {
    monitor::say("typetwo {}: {}\n", command.name, error.what());
    return command.failure_status;
  }
}

}  // namespace

int main(int argc, char** argv) {
  monitor::fill_closed_streams();
  // Whoever started the tool may ignore these; waiting for children needs the default.
  signal(SIGCHLD, SIG_DFL);
  signal(SIGXFSZ, SIG_IGN);  // a file beyond the limit is an error with a name, and no death
  const char* name = argc > 1 ? argv[1] : "";
  for (const auto& command : commands) {
    if (std::strcmp(command.name, name) == 0) {
      return delivered(run(command, cli::Words(argv + 2, argv + argc)), command.failure_status);
    }
  }
  bool help = std::strcmp(name, "--help") == 0 || std::strcmp(name, "-h") == 0;
  if (help || argc < 2) {
    if (!help) {
      monitor::say("{}", usage());
      return 2;
    }
    monitor::print("{}", usage());
    return delivered(0, 1);
  }
  monitor::say(
      "typetwo: unknown command '{}': use exec, shell, run, plot, image, syscalls or doctor\n",
      name);
  return 2;
}
