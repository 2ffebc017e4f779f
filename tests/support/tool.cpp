// The tool as a child process: see tool.h.
#include "tests/support/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "machines/kinds.h"
#include "monitor/machine/kind.h"
#include "monitor/machine/outcome_json.h"

namespace support {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  std::array<int, 2> ends{};
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  }
  void close_end(int i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
};

/// Feeds stdin and collects stdout and stderr until both are closed; false at the deadline.
bool exchange(Pipe& in, Pipe& out, Pipe& err, const Options& options, ToolRun& run) {
  const auto deadline = Clock::now() + options.deadline;
  std::size_t fed = 0;
  std::string* texts[] = {&run.out, &run.err};
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    if (fed == options.input.size()) in.close_end(1);
    std::array<pollfd, 3> polled = {
        {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}, {in.ends[1], POLLOUT, 0}}};
    if (poll(polled.data(), polled.size(), static_cast<int>(left.count())) < 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (!polled[i].revents) continue;
      std::array<char, 65536> block;
      ssize_t count = read(polled[i].fd, block.data(), block.size());
      if (count > 0) texts[i]->append(block.data(), static_cast<std::size_t>(count));
      if (count == 0) (i == 0 ? out : err).close_end(0);
    }
    if (polled[2].revents) {
      ssize_t count = write(in.ends[1], options.input.data() + fed, options.input.size() - fed);
      if (count < 0 && errno != EAGAIN) in.close_end(1);
      if (count > 0) fed += static_cast<std::size_t>(count);
    }
  }
  return true;
}

int status_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace

std::string ToolRun::describe() const {
  auto tail = [](const std::string& text) {
    return text.size() > 6000 ? "[…]" + text.substr(text.size() - 6000) : text;
  };
  return "status " + std::to_string(status) + (in_time ? "" : ", killed at the deadline") +
         "\n-- stdout:\n" + tail(out) + "\n-- stderr:\n" + tail(err);
}

ToolRun run_tool(const std::vector<std::string>& words, const Options& options) {
  signal(SIGPIPE, SIG_IGN);
  Pipe in, out, err;
  ToolRun run;
  if (options.close_stdout) out.close_end(0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(in.ends[0], 0);
    dup2(out.ends[1], 1);
    dup2(err.ends[1], 2);
    for (int fd = 0; fd < 3; ++fd)
      if (options.closed >> fd & 1) close(fd);
    if (options.fixed_addresses) personality(ADDR_NO_RANDOMIZE);
    become_tool(words);
  }
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  fcntl(in.ends[1], F_SETFL, O_NONBLOCK);  // feeding must not keep us from collecting
  run.in_time = exchange(in, out, err, options, run);
  if (!run.in_time) kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  run.status = status_of(status);
  return run;
}

ToolRun exec(const std::string& place, const std::vector<std::string>& program,
             const std::vector<std::string>& more, const Options& options) {
  std::vector<std::string> words = {"exec", "--on", place};
  words.insert(words.end(), more.begin(), more.end());
  words.emplace_back("--");
  words.insert(words.end(), program.begin(), program.end());
  return run_tool(words, options);
}

Reported exec_reported(const std::string& place, const std::vector<std::string>& program,
                       std::vector<std::string> more, const Options& options) {
  std::string path = "/tmp/test-report-XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0) throw std::runtime_error("cannot make " + path);
  close(fd);
  more.insert(more.end(), {"--report", path});
  Reported reported;
  reported.run = exec(place, program, more, options);
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  unlink(path.c_str());
  if (!text.empty()) reported.outcome = monitor::outcome_from_json(text);
  return reported;
}

const std::vector<std::string>& places() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const auto& config : machines::overview()) names.push_back(config.name());
    return names;
  }();
  return all;
}

const std::vector<std::string>& every_point() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const monitor::Kind* kind : machines::kinds()) {
      if (!kind->is_guest) continue;
      for (const auto& config : machines::points(*kind)) names.push_back(config.name());
    }
    return names;
  }();
  return all;
}

const std::vector<std::string>& guest_places() {
  static const std::vector<std::string> guests(places().begin() + 1, places().end());
  return guests;
}

const std::vector<std::string>& protected_points() {
  static const std::vector<std::string> some = [] {
    std::vector<std::string> names;
    for (const auto& name : every_point()) {
      if (machines::parse(name).traits().contains) names.push_back(name);
    }
    return names;
  }();
  return some;
}

std::string test_name(std::string text) {
  for (char& c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return text;
}

std::string tool_path() {
  return TYPETWO_TOOL;
}

void become_tool(const std::vector<std::string>& words) {
  std::vector<char*> argv = {const_cast<char*>(TYPETWO_TOOL)};
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(argv[0], argv.data());
  _exit(126);
}

pid_t start_tool(const std::vector<std::string>& words, int stdout_fd, int stderr_fd,
                 int stdin_fd) {
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(stdin_fd < 0 ? null : stdin_fd, 0);
    dup2(stdout_fd, 1);
    dup2(stderr_fd < 0 ? null : stderr_fd, 2);
    become_tool(words);
  }
  return child;
}

std::string program(const std::string& topic) {
  return TYPETWO_TEST_PROGRAMS "/" + topic;
}

}  // namespace support
