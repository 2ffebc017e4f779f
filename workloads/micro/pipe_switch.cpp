// pipe-switch: one byte to another process and one back, by two pipes: two system calls and a
// switch of address space each way. The check value is the sum of what came back, which the other
// process has changed.
#include <sys/wait.h>

#include "marker.h"

namespace {

constexpr const char* name = "pipe-switch";

struct Pipe {
  int read_end, write_end;
  Pipe() {
    int ends[2];
    if (pipe(ends) != 0) micro::fail(name, "pipe failed");
    read_end = ends[0];
    write_end = ends[1];
  }
};

[[noreturn]] void echo(int in, int out) {
  unsigned char byte = 0;
  while (read(in, &byte, 1) == 1) {
    byte = static_cast<unsigned char>(byte * 3 + 1);
    if (write(out, &byte, 1) != 1) _exit(1);
  }
  _exit(0);
}

std::uint64_t round_trips(std::uint64_t count, int in, int out) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto byte = static_cast<unsigned char>(i);
    if (write(out, &byte, 1) != 1 || read(in, &byte, 1) != 1) {
      micro::fail(name, "the other process is gone");
    }
    sum += byte;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 1000);
  micro::Marker marker(name);
  const Pipe there, back;
  const pid_t child = fork();
  if (child < 0) micro::fail(name, "fork failed");
  if (child == 0) {
    close(there.write_end);
    close(back.read_end);
    echo(there.read_end, back.write_end);
  }
  close(there.read_end);
  close(back.write_end);
  round_trips(arguments.count / 10 + 1, back.read_end, there.write_end);
  std::uint64_t sum = 0;
  for (std::uint64_t pair = 0; pair < arguments.pairs; ++pair) {
    marker.start(arguments.count);
    sum += round_trips(arguments.count, back.read_end, there.write_end);
    marker.stop();
  }
  close(there.write_end);
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) {
    micro::fail(name, "the other process ended badly");
  }
  return micro::report(name, sum);
}
