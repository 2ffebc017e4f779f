// pipe-switch: one byte to another process and one back, by two pipes: two system calls and a
// switch of address space each way. The check value is how many came back as the other process
// must have changed them.
#include "ping_pong.h"

namespace {

constexpr const char* name = "pipe-switch";

struct NoMemory {
  [[nodiscard]] bool intact() const { return true; }
};

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 1000);
  return micro::ping_pong(name, arguments, [](std::uint64_t) { return NoMemory(); });
}
