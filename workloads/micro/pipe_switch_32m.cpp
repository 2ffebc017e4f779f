// pipe-switch-32m: pipe-switch between two processes that have touched 32 MiB of memory each: what
// a switch of address space costs when there is much in it. Each process touches one word of every
// page before the clock starts, and the pages again after it, to see that they are still its own.
// The check value is the sum of what came back, which the other process has changed.
#include <sys/wait.h>

#include "region.h"

namespace {

constexpr const char* name = "pipe-switch-32m";
constexpr std::uint64_t region_pages = 8192;  // 32 MiB

/// Memory of one process's own, all touched.
class Ballast {
 public:
  explicit Ballast(std::uint64_t seed) : region_(name, region_pages), seed_(seed) {
    for (std::uint64_t i = 0; i < region_pages; ++i) {
      if (!region_.touch(i, seed + i)) micro::fail(name, "fresh memory is not zeroed");
    }
  }
  [[nodiscard]] bool intact() const {
    for (std::uint64_t i = 0; i < region_pages; ++i) {
      if (region_.stamp(i) != seed_ + i + 1) return false;
    }
    return true;
  }

 private:
  micro::Region region_;
  std::uint64_t seed_;
};

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
  const Ballast ballast(1'000'000);
  unsigned char byte = 0;
  while (read(in, &byte, 1) == 1) {
    byte = static_cast<unsigned char>(byte * 3 + 1);
    if (write(out, &byte, 1) != 1) _exit(1);
  }
  _exit(ballast.intact() ? 0 : 1);
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
  const Ballast ballast(0);
  round_trips(arguments.count / 10 + 1, back.read_end, there.write_end);
  std::uint64_t sum = 0;
  for (std::uint64_t pair = 0; pair < arguments.pairs; ++pair) {
    marker.start(arguments.count);
    sum += round_trips(arguments.count, back.read_end, there.write_end);
    marker.stop();
  }
  close(there.write_end);
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0 || !ballast.intact()) {
    micro::fail(name, "the other process ended badly");
  }
  return micro::report(name, sum);
}
