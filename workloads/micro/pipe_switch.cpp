// pipe-switch: one byte to another process and one back, by two pipes: two system calls and a
// switch of address space each way. The check value is how many came back as the other process
// must have changed them.
#include "ping_pong.h"

int main(int argc, char** argv) {
  constexpr const char* name = "pipe-switch";
  return micro::ping_pong(name, micro::Arguments(name, argc, argv, 1000), micro::two_pipes(name));
}
