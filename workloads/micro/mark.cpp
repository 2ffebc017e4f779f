// micro-mark start NAME COUNT | stop NAME: writes one marker, for shell scripts, which cannot read
// the clock that the text carries.
#include "marker.h"

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "start") == 0) {
    const micro::Arguments arguments(argv[2], 2, argv + 2, 1);
    micro::Marker(argv[2]).start(arguments.count);
    return 0;
  }
  if (argc == 3 && std::strcmp(argv[1], "stop") == 0) {
    micro::Marker(argv[2]).stop();
    return 0;
  }
  micro::fail("micro-mark", "usage: start NAME COUNT | stop NAME");
}
