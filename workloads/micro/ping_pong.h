// What the pipe-switch programs share: a byte goes to another process and comes back, by two pipes:
// two system calls and a switch of address space each way. They differ in what memory each of the
// two processes has, which is made before the clock starts and looked at again after it.
#pragma once

#include <sys/wait.h>

#include "marker.h"

namespace micro {

struct Pipe {
  int read_end, write_end;
  explicit Pipe(const char* name) {
    int ends[2];
    if (pipe(ends) != 0) fail(name, "pipe failed");
    read_end = ends[0];
    write_end = ends[1];
  }
};

/// What the other process makes of a byte.
inline unsigned char answer_to(unsigned char byte) {
  return static_cast<unsigned char>(byte * 3 + 1);
}

/// How many came back as they should.
inline std::uint64_t round_trips(const char* name, std::uint64_t count, int in, int out) {
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto sent = static_cast<unsigned char>(i);
    unsigned char byte = sent;
    if (write(out, &byte, 1) != 1 || read(in, &byte, 1) != 1) {
      fail(name, "the other process is gone");
    }
    right += byte == answer_to(sent);
  }
  return right;
}

/// `make_memory(seed)` gives an object that is asked at the end whether it is intact(). Prints how
/// many bytes came back as the other process must have changed them; returns the exit status.
template <class MakeMemory>
int ping_pong(const char* name, const Arguments& arguments, MakeMemory make_memory) {
  const Pipe there(name), back(name);
  const pid_t child = fork();
  if (child < 0) fail(name, "fork failed");
  if (child == 0) {
    close(there.write_end);
    close(back.read_end);
    const auto memory = make_memory(1'000'000);
    unsigned char byte = 0;
    while (read(there.read_end, &byte, 1) == 1) {
      byte = answer_to(byte);
      if (write(back.write_end, &byte, 1) != 1) _exit(1);
    }
    _exit(memory.intact() ? 0 : 1);
  }
  close(there.read_end);
  close(back.write_end);
  const auto memory = make_memory(0);
  const std::uint64_t right =
      measure(name, arguments, arguments.count / 10 + 1, [&](std::uint64_t count) {
        return round_trips(name, count, back.read_end, there.write_end);
      });
  close(there.write_end);
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0 || !memory.intact()) {
    fail(name, "the other process ended badly");
  }
  return report(name, right);
}

}  // namespace micro
