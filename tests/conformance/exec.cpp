// Conformance, execve: arguments, environment, what survives an exec and what does not, scripts,
// and every way in which a file cannot be executed.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"

// What a helper does: its first argument says.
int helper(int argc, char** argv) {
  if (argc < 1) return 50;
  if (strcmp(argv[0], "count") == 0) return argc;
  if (strcmp(argv[0], "env") == 0) {
    const char* value = getenv("COLOUR");
    return value && strcmp(value, "blue") == 0 && getenv("PATH") == nullptr ? 3 : 4;
  }
  if (strcmp(argv[0], "fd") == 0) return fcntl(atoi(argv[1]), F_GETFD) >= 0 ? 1 : 0;
  if (strcmp(argv[0], "signals") == 0) {
    struct sigaction one, two;
    sigset_t mask;
    sigaction(SIGUSR1, nullptr, &one);
    sigaction(SIGUSR2, nullptr, &two);
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    return (one.sa_handler == SIG_DFL) | (two.sa_handler == SIG_IGN) << 1 |
           sigismember(&mask, SIGHUP) << 2 | sigismember(&mask, SIGTERM) << 3;
  }
  if (strcmp(argv[0], "/tmp/exe") == 0) {  // the script that named this
    char exe[256] = {}, wanted[256] = {}, comm[32] = {};
    if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0) return 52;
    if (!realpath(check::self_path, wanted) || strcmp(exe, wanted) != 0) return 53;
    int fd = open("/proc/self/comm", O_RDONLY);
    return read(fd, comm, sizeof comm) > 0 && strcmp(comm, "exe\n") == 0 ? 9 : 54;
  }
  if (strcmp(argv[0], "long") == 0) return argc == 2 && strlen(argv[1]) == 100000 ? 6 : 7;
  if (strcmp(argv[0], "script") == 0) return argc == 3 && strcmp(argv[2], "tail") == 0 ? 8 : argc;
  return 51;
}

template <class... A>
static int exec_helper(A... arguments) {
  return check::in_child([&] {
    char* argv[] = {(char*)check::self_path, (char*)"--helper", (char*)arguments..., nullptr};
    char* envp[] = {(char*)"COLOUR=blue", nullptr};
    execve(check::self_path, argv, envp);
    return 60;
  });
}

static void make_file(const char* path, const char* text, mode_t mode) {
  unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  REQUIRE(fd >= 0);
  CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

static int exec_errno(const char* path) {
  return WEXITSTATUS(check::in_child([&] {
    char* argv[] = {(char*)path, nullptr};
    char* envp[] = {nullptr};
    execve(path, argv, envp);
    return errno;
  }));
}

TEST(arguments_arrive) {
  CHECK_EXITED(exec_helper("count"), 1);
  CHECK_EXITED(exec_helper("count", "", "two words", "x"), 4);
}

TEST(environment_is_what_was_given) {
  CHECK_EXITED(exec_helper("env"), 3);
}

TEST(a_long_argument_arrives_whole) {
  char* text = (char*)malloc(100001);
  memset(text, 'y', 100000);
  text[100000] = 0;
  CHECK_EXITED(exec_helper("long", text), 6);
}

TEST(close_on_exec) {
  int kept = open("/dev/null", O_RDONLY), gone = open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(kept >= 0 && gone >= 0);
  char number[16];
  snprintf(number, sizeof number, "%d", kept);
  CHECK_EXITED(exec_helper("fd", number), 1);
  snprintf(number, sizeof number, "%d", gone);
  CHECK_EXITED(exec_helper("fd", number), 0);
  CHECK_EQ(fcntl(kept, F_SETFD, FD_CLOEXEC), 0);
  snprintf(number, sizeof number, "%d", kept);
  CHECK_EXITED(exec_helper("fd", number), 0);
  CHECK(fcntl(gone, F_GETFD) == FD_CLOEXEC);  // still open on this side
}

TEST(handlers_are_reset_masks_and_ignored_stay) {
  signal(SIGUSR1, [](int) {});
  signal(SIGUSR2, SIG_IGN);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGHUP);
  sigprocmask(SIG_BLOCK, &mask, nullptr);
  CHECK_EXITED(exec_helper("signals"), 1 | 2 | 4);
}

TEST(memory_of_the_old_program_is_gone) {
  // A mapping at a chosen address is not there after exec: the helper is a fresh program, so the
  // best witness is that a hundred execs in a row, each with 1 MiB mapped, do not run out.
  for (int i = 0; i < 40; ++i) {
    int status = check::in_child([] {
      void* p = mmap(nullptr, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      memset(p, 1, 4 << 20);
      char* argv[] = {(char*)check::self_path, (char*)"--helper", (char*)"count", nullptr};
      char* envp[] = {nullptr};
      execve(check::self_path, argv, envp);
      return 60;
    });
    CHECK_EXITED(status, 1);
  }
}

TEST(the_pid_stays) {
  pid_t child = check::start_child([] {
    char* argv[] = {(char*)check::self_path, (char*)"--helper", (char*)"count", (char*)"a",
                    nullptr};
    char* envp[] = {nullptr};
    execve(check::self_path, argv, envp);
    return 60;
  });
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 2);
}

TEST(vfork_and_exec) {
  pid_t child = vfork();
  if (child == 0) {
    char* argv[] = {(char*)check::self_path, (char*)"--helper", (char*)"count", nullptr};
    char* envp[] = {nullptr};
    execve(check::self_path, argv, envp);
    _exit(60);
  }
  int status;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EXITED(status, 1);
}

TEST(scripts_run_their_interpreter) {
  char text[300];
  // Linux hands everything after the interpreter over as one argument.
  snprintf(text, sizeof text, "#!%s --helper\nnothing\n", check::self_path);
  make_file("/tmp/script", text, 0755);
  int status = check::in_child([] {
    char* argv[] = {(char*)"/tmp/script", (char*)"tail", nullptr};
    char* envp[] = {nullptr};
    execve("/tmp/script", argv, envp);
    return 60;
  });
  CHECK_EXITED(status, 51);  // the helper's first argument is the script's path: no such command
  make_file("/tmp/script", "#!/no/such/interpreter\n", 0755);
  CHECK_EQ(exec_errno("/tmp/script"), ENOENT);
  unlink("/tmp/script");
}

TEST(of_a_script_proc_names_the_interpreter) {
  char text[300];
  snprintf(text, sizeof text, "#!%s --helper\n", check::self_path);
  make_file("/tmp/exe", text, 0755);
  CHECK_EXITED(check::in_child([] { return execl("/tmp/exe", "/tmp/exe", nullptr); }), 9);
  unlink("/tmp/exe");
}

TEST(files_that_cannot_be_executed) {
  CHECK_EQ(exec_errno("/no/such/program"), ENOENT);
  CHECK_EQ(exec_errno(""), ENOENT);
  CHECK_EQ(exec_errno("/tmp"), EACCES);
  CHECK_EQ(exec_errno("/dev/null"), EACCES);
  make_file("/tmp/text", "not a program\n", 0755);
  CHECK_EQ(exec_errno("/tmp/text"), ENOEXEC);
  CHECK_EQ(exec_errno("/tmp/text/below"), ENOTDIR);
  make_file("/tmp/text", "", 0755);
  CHECK_EQ(exec_errno("/tmp/text"), ENOEXEC);
  make_file("/tmp/text", "\177ELF", 0755);
  CHECK_EQ(exec_errno("/tmp/text"), ENOEXEC);
  make_file("/tmp/text", "#!/bin/sh\n", 0644);
  CHECK_EQ(exec_errno("/tmp/text"), EACCES);
  unlink("/tmp/text");
}

TEST(a_failed_exec_leaves_the_program_as_it_was) {
  static volatile int canary = 11;
  char* argv[] = {(char*)"/no", nullptr};
  char* envp[] = {nullptr};
  signal(SIGUSR1, [](int) { canary = 12; });
  CHECK_ERRNO(execve("/no/such", argv, envp), ENOENT);
  CHECK_ERRNO(execve("/tmp", argv, envp), EACCES);
  raise(SIGUSR1);
  CHECK_EQ(canary, 12);
}
