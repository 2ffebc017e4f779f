// The executable behind all micro programs (and, once more, behind those with threads): statically
// linked, each would carry two thirds of a megabyte of C library into every guest. `micro-NAME` is
// a symbolic link to it; the name it is called by says which program it is. Each program's own
// main() is compiled under another name (see CMakeLists.txt), and knows nothing of the others.
#include "marker.h"

#define X(name, function) int function(int argc, char** argv);
#include "micro_programs.inc"
#undef X

namespace {

struct Program {
  const char* name;
  int (*main)(int, char**);
};

constexpr Program programs[] = {
#define X(name, function) {"micro-" name, function},
#include "micro_programs.inc"
#undef X
};

}  // namespace

int main(int argc, char** argv) {
  const char* slash = argc > 0 ? std::strrchr(argv[0], '/') : nullptr;
  const char* name = slash != nullptr ? slash + 1 : argc > 0 ? argv[0] : "";
  for (const Program& program : programs) {
    if (std::strcmp(program.name, name) == 0) return program.main(argc, argv);
  }
  micro::fail("micro", "call me by the name of a workload, as in /workloads/micro-null-syscall");
}
