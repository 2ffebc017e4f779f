// A guest program for limits_test.cpp: three children take memory until there is none. The one that
// holds most must be killed, wherever the fault happened that found no memory; one that has asked
// to be spared holds more at first.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr size_t megabyte = 1 << 20;

void take(size_t megabytes) {
  void* memory = mmap(nullptr, megabytes * megabyte, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  memset(memory, 1, megabytes * megabyte);
}

void spare_me() {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY);
  if (fd < 0 || write(fd, "-1000\n", 6) != 6) _exit(3);
  close(fd);
}

/// Takes what it has to, says so by closing `ready`, and stays.
pid_t start(size_t megabytes, bool spared) {
  int ready[2];
  char c;
  if (pipe(ready) != 0) _exit(2);
  const pid_t pid = fork();
  if (pid == 0) {
    close(ready[0]);
    if (spared) spare_me();
    take(megabytes);
    close(ready[1]);
    for (;;) pause();
  }
  close(ready[1]);
  (void)!read(ready[0], &c, 1);
  close(ready[0]);
  return pid;
}

}  // namespace

int main() {
  constexpr int most = 64;
  const pid_t spared = start(20, true), large = start(15, false);
  pid_t small[most];
  int count = 0, status = 0;
  while (count < most && waitpid(large, &status, WNOHANG) == 0) small[count++] = start(2, false);
  printf("large one killed by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
  printf(waitpid(spared, &status, WNOHANG) == 0 ? "spared one lives\n" : "spared one is gone\n");
  int gone = 0;
  for (int i = 0; i < count; ++i) gone += waitpid(small[i], &status, WNOHANG) != 0;
  printf("%d small ones are gone\n", gone);
  for (int i = 0; i < count; ++i) kill(small[i], SIGKILL);
  kill(spared, SIGKILL);
  while (waitpid(-1, &status, 0) > 0) {
  }
  return 0;
}
