// Both streams go to memory files, not pipes, so that no program can wait for us to read.
#include "workloads/image/host_program.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "monitor/tool/error.h"
#include "monitor/tool/output_file.h"

namespace image {
namespace {

class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("typetwo-output", MFD_CLOEXEC)) {
    if (fd_ < 0) monitor::throw_errno("cannot make a file in memory");
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] std::string text() const {
    std::string text(static_cast<std::size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    ssize_t bytes = pread(fd_, text.data(), text.size(), 0);
    text.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
    return text;
  }

 private:
  int fd_;
};

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

ProgramRun run_program(const std::vector<std::string>& words, const std::vector<std::string>& env,
                       const std::string& input) {
  MemoryFile in, out, err;
  if (!monitor::write_all(in.get(), input)) monitor::throw_errno("cannot fill a file in memory");
  lseek(in.get(), 0, SEEK_SET);
  posix_spawn_file_actions_t streams;
  posix_spawn_file_actions_init(&streams);
  posix_spawn_file_actions_adddup2(&streams, in.get(), 0);
  posix_spawn_file_actions_adddup2(&streams, out.get(), 1);
  posix_spawn_file_actions_adddup2(&streams, err.get(), 2);
  auto words_env = environment_with(env);
  auto argv = pointers(words), envp = pointers(words_env);
  // posix_spawnp would search our own PATH, not the child's.
  ProgramRun run;
  pid_t child = -1;
  int error = ENOENT;
  const bool is_path = words[0].find('/') != std::string::npos;
  for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    const std::string path = is_path ? words[0] : folder + words[0];
    error = posix_spawn(&child, path.c_str(), &streams, nullptr, argv.data(), envp.data());
    if (error != ENOENT || is_path) break;
  }
  posix_spawn_file_actions_destroy(&streams);
  if (error != 0) {
    run.err = std::strerror(error);
    return run;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.out = out.text();
  run.err = err.text();
  return run;
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
