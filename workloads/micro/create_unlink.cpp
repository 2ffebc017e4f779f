// create-unlink: a new empty file in /tmp, closed, and its name taken away again. The check value
// counts rounds in which the file was new, and gone afterwards.
#include "marker.h"

namespace {

constexpr const char* name = "create-unlink";
constexpr const char* path = "/tmp/micro-create-unlink";

std::uint64_t make_and_remove(std::uint64_t count) {
  std::uint64_t done = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    done += fd >= 0 && close(fd) == 0 && unlink(path) == 0;
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 5'000);
  return micro::report(name,
                       micro::measure(name, arguments, arguments.count / 10 + 1, make_and_remove));
}
