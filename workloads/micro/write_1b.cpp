// write-1b: one byte into a file in /tmp, over the last one: a system call that does next to
// nothing in the file system. The check value counts bytes that are there at the end of a part.
#include "marker.h"

namespace {

constexpr const char* name = "write-1b";

std::uint64_t write_bytes(int fd, std::uint64_t count) {
  std::uint64_t written = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto byte = static_cast<unsigned char>(i);
    if (i % 4096 == 0) lseek(fd, 0, SEEK_SET);
    written += write(fd, &byte, 1) == 1;
  }
  unsigned char last = 0;
  const auto place = static_cast<off_t>((count - 1) % 4096);
  const bool right =
      pread(fd, &last, 1, place) == 1 && last == static_cast<unsigned char>(count - 1);
  return right ? written : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 10'000);
  const int fd = open("/tmp/micro-write-1b", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) micro::fail(name, "cannot make a file in /tmp");
  unlink("/tmp/micro-write-1b");
  // The page is there before the clock starts
  return micro::report(name, micro::measure(name, arguments, 4096, [&](std::uint64_t count) {
                         return write_bytes(fd, count);
                       }));
}
