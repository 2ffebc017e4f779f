// fork-exec: a child that becomes a static program (this one again, told to exit), and waiting for
// it: what a shell does for each command. The check value is how many ended with the exit
// status that the new program was told.
#include "children.h"

namespace {

constexpr const char* name = "fork-exec";

/// As the new program: `micro-fork-exec exit N`.
int exit_as_told(const char* status) {
  int value = 0;
  std::from_chars(status, status + std::strlen(status), value);
  return value;
}

std::uint64_t run_programs(const char* program, std::uint64_t count) {
  return micro::run_children(name, count, [&](int status) {
    char status_text[8] = {};
    std::to_chars(status_text, status_text + sizeof status_text - 1, status);
    char exit_word[] = "exit";
    char* argv[] = {const_cast<char*>(program), exit_word, status_text, nullptr};
    char* environment[] = {nullptr};
    execve(program, argv, environment);
    _exit(127);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "exit") == 0) return exit_as_told(argv[2]);
  const micro::Arguments arguments(name, argc, argv, 300);
  return micro::report(
      name, micro::measure(name, arguments, arguments.count / 10 + 1,
                           [&](std::uint64_t count) { return run_programs(argv[0], count); }));
}
