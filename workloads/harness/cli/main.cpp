// The tool's entry: picks the subcommand, and is the one place where an error becomes a line on
// stderr and an exit status: 2 for wrong words, 1 for a host or input that does not allow it (exec:
// 125, so that it cannot be taken for the program's own).
#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "monitor/error.h"
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

void print_usage(std::FILE* to) {
  fmt::print(to, "usage: typetwo COMMAND [OPTIONS]\n\n");
  for (const auto& command : commands) fmt::print(to, "  {:<9} {}\n", command.name, command.about);
  fmt::print(to, "\n`typetwo COMMAND --help` tells more.\n");
}

int run(const Command& command, const cli::Words& words) {
  try {
    return command.run(words);
  } catch (const monitor::UsageError& error) {
    fmt::print(stderr, "typetwo {}: {}\n", command.name, error.what());
    return 2;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "typetwo {}: out of memory; free some or give a smaller --memory\n",
               command.name);
    return command.failure_status;
  } catch (const std::exception& error) {
    fmt::print(stderr, "typetwo {}: {}\n", command.name, error.what());
    return command.failure_status;
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Whoever started the tool may ignore these; waiting for children needs the default.
  signal(SIGCHLD, SIG_DFL);
  const char* name = argc > 1 ? argv[1] : "";
  for (const auto& command : commands) {
    if (std::strcmp(command.name, name) == 0) {
      return run(command, cli::Words(argv + 2, argv + argc));
    }
  }
  bool help = std::strcmp(name, "--help") == 0 || std::strcmp(name, "-h") == 0;
  if (help || argc < 2) {
    print_usage(help ? stdout : stderr);
    return help ? 0 : 2;
  }
  fmt::print(
      stderr,
      "typetwo: unknown command '{}': use exec, shell, run, plot, image, syscalls or doctor\n",
      name);
  return 2;
}
