// The tool's entry: picks the subcommand, and is the one place where an error becomes a line on
// stderr and an exit status: 2 for wrong words, 1 for a host or input that does not allow it (exec:
// 125, so that it cannot be taken for the program's own; 126 and 127 for a program that cannot be
// executed or found).
#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "monitor/tool/error.h"
#include "monitor/tool/message.h"
#include "monitor/tool/nearest.h"
#include "monitor/tool/standard_streams.h"

namespace {

struct Command {
  const char* name;
  int (*run)(const cli::Words&);
  int failure_status;
  const char* about;
};

constexpr int machine_failed = 125;  // of commands whose status is else their program's

constexpr Command commands[] = {
    {"exec", cli::exec_main, machine_failed,
     "run one program in a guest (or natively), as its first process"},
    {"shell", cli::shell_main, machine_failed, "an interactive guest shell on this terminal"},
    {"run", cli::run_main, 1, "measure workloads on the configurations: table, results, figure"},
    {"plot", cli::plot_main, 1, "draw the figure again from results"},
    {"claims", cli::claims_main, 1, "judge the claims that results bear on"},
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
  } catch (const monitor::ProgramError& error) {
    monitor::say("typetwo {}: {}\n", command.name, error.what());
    return command.failure_status == machine_failed ? error.status : command.failure_status;
  } catch (const std::bad_alloc&) {
    monitor::say("typetwo {}: out of memory; free some or give a smaller --memory\n", command.name);
    return command.failure_status;
  } catch (const std::exception& error) {
    monitor::say("typetwo {}: {}\n", command.name, error.what());
    return command.failure_status;
  }
}

const Command* find_command(std::string_view name) {
  for (const auto& command : commands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

int unknown_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& command : commands) names.emplace_back(command.name);
  monitor::say("typetwo: {}\n", monitor::unknown("command", name, names));
  return 2;
}

/// `help`, `help COMMAND`
int help(const cli::Words& words) {
  if (words.empty()) {
    monitor::print("{}", usage());
    return delivered(0, 1);
  }
  const Command* command = find_command(words.front());
  if (command == nullptr) return unknown_command(words.front());
  return delivered(run(*command, {"--help"}), command->failure_status);
}

}  // namespace

int main(int argc, char** argv) {
  monitor::fill_closed_streams();
  // Whoever started the tool may ignore these; waiting for children needs the default.
  signal(SIGCHLD, SIG_DFL);
  signal(SIGXFSZ, SIG_IGN);  // a file beyond the limit is an error with a name, and no death
  if (argc < 2) {
    monitor::say("{}", usage());
    return 2;
  }
  const std::string_view name = argv[1];
  const cli::Words words(argv + 2, argv + argc);
  if (const Command* command = find_command(name))
    return delivered(run(*command, words), command->failure_status);
  if (name == "help" || name == "--help" || name == "-h") return help(words);
  return unknown_command(name);
}
