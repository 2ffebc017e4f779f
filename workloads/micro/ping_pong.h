// What the switch programs share: a byte goes to another process and comes back: two system calls
// and a switch of address space each way. They differ in what carries it, and in what memory each
// of the two processes has, which is made before the clock starts and looked at again after it.
#pragma once

#include <sys/wait.h>

#include "marker.h"

namespace micro {

/// Where one of the processes reads and writes.
struct Channel {
  int in, out;
  void shut() const {
    close(in);
    close(out);
  }
};
/// The first process's and the other's.
struct Channels {
  Channel first, other;
};

inline Channels two_pipes(const char* name) {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) fail(name, "pipe failed");
  return {{back[0], there[1]}, {there[0], back[1]}};
}

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
int ping_pong(const char* name, const Arguments& arguments, const Channels& channels,
              MakeMemory make_memory) {
  const auto [own, other] = channels;
  const pid_t child = fork();
  if (child < 0) fail(name, "fork failed");
  if (child == 0) {
    own.shut();
    const auto memory = make_memory(1'000'000);
    unsigned char byte = 0;
    while (read(other.in, &byte, 1) == 1) {
      byte = answer_to(byte);
      if (write(other.out, &byte, 1) != 1) _exit(1);
    }
    _exit(memory.intact() ? 0 : 1);
  }
  other.shut();
  const auto memory = make_memory(0);
  const std::uint64_t right =
      measure(name, arguments, arguments.count / 10 + 1,
              [&](std::uint64_t count) { return round_trips(name, count, own.in, own.out); });
  own.shut();
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0 || !memory.intact()) {
    fail(name, "the other process ended badly");
  }
  return report(name, right);
}

/// For who only wants to see the byte go.
struct NoMemory {
  [[nodiscard]] bool intact() const { return true; }
};
inline int ping_pong(const char* name, const Arguments& arguments, const Channels& channels) {
  return ping_pong(name, arguments, channels, [](std::uint64_t) { return NoMemory(); });
}

}  // namespace micro
