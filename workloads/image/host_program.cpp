// Both streams go to memory files, not pipes, so that no program can wait for us to read.
#include "workloads/image/host_program.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"

namespace image {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const auto& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> words = more;
  words.emplace_back("LC_ALL=C");
  words.emplace_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");  // mke2fs is in no user's path
  for (char** at = environ; *at; ++at) {
    if (std::strncmp(*at, "LC_ALL=", 7) != 0 && std::strncmp(*at, "PATH=", 5) != 0) {
      words.emplace_back(*at);
    }
  }
  return words;
}

}  // namespace

MemoryFile::MemoryFile() : fd_(memfd_create("typetwo-output", MFD_CLOEXEC)) {
  if (fd_ < 0) monitor::throw_errno("cannot make a file in memory");
}

MemoryFile::~MemoryFile() {
  close(fd_);
}

std::string MemoryFile::text() const {
  struct stat file {};
  fstat(fd_, &file);
  std::string text(static_cast<std::size_t>(file.st_size), '\0');
  const ssize_t bytes = pread(fd_, text.data(), text.size(), 0);
  text.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
  return text;
}

HostProgram::HostProgram(const std::vector<std::string>& words, const std::vector<std::string>& env,
                         const std::string& input) {
  if (!monitor::write_all(in_.get(), input)) monitor::throw_errno("cannot fill a file in memory");
  lseek(in_.get(), 0, SEEK_SET);
  start(words, env);
}

void HostProgram::start(const std::vector<std::string>& words,
                        const std::vector<std::string>& env) {
  posix_spawn_file_actions_t streams;
  posix_spawn_file_actions_init(&streams);
  posix_spawn_file_actions_adddup2(&streams, in_.get(), 0);
  posix_spawn_file_actions_adddup2(&streams, out_.get(), 1);
  posix_spawn_file_actions_adddup2(&streams, err_.get(), 2);
  auto words_env = environment_with(env);
  auto argv = pointers(words), envp = pointers(words_env);
  // posix_spawnp would search our own PATH, not the child's.
  int error = ENOENT;
  const bool is_path = words[0].find('/') != std::string::npos;
  for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    const std::string path = is_path ? words[0] : folder + words[0];
    error = posix_spawn(&child_, path.c_str(), &streams, nullptr, argv.data(), envp.data());
    if (error != ENOENT || is_path) break;
  }
  posix_spawn_file_actions_destroy(&streams);
  if (error == 0) return;
  child_ = -1;
  error_ = std::strerror(error);
}

bool HostProgram::wait(std::optional<double> seconds) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(seconds.value_or(0));
  for (int status = 0; child_ >= 0;) {
    const pid_t ended = waitpid(child_, &status, seconds ? WNOHANG : 0);
    if (ended == child_) {
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      child_ = -1;
    } else if (ended < 0 && errno != EINTR) {
      child_ = -1;  // somebody has made its status nobody's (SIGCHLD ignored)
      status_ = 0;
    } else if (seconds && Clock::now() >= deadline) {
      return false;
    } else if (ended == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return true;
}

HostProgram::~HostProgram() {
  if (wait(0)) return;
  kill(child_, SIGTERM);
  if (wait(1)) return;
  kill(child_, SIGKILL);
  wait();
}

ProgramRun HostProgram::run() const {
  return {.status = status_, .out = out_.text(), .err = error_ + err_.text()};
}

ProgramRun run_program(const std::vector<std::string>& words, const std::vector<std::string>& env,
                       const std::string& input) {
  HostProgram program(words, env, input);
  program.wait();
  return program.run();
}

std::string require_program(const std::vector<std::string>& words, const std::string& remedy,
                            const std::vector<std::string>& env) {
  ProgramRun run = run_program(words, env);
  if (run.status == 0) return run.out;
  std::string said = run.err.substr(0, run.err.find_last_not_of('\n') + 1);
  said = said.substr(said.rfind('\n') + 1);  // one line for a person: the last
  throw monitor::HostError(
      fmt::format("{} failed ({}): {}; {}", words[0], run.status, said, remedy));
}

}  // namespace image
