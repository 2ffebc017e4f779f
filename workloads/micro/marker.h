// What every micro program shares: its arguments, the marker device, and the line it prints. No
// iostreams, no heap: the less a program does around the measured part, the less a young guest
// kernel needs to serve it.
#pragma once

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstring>

namespace micro {

inline std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// A line put together on the stack. Overlong text is cut.
class Line {
 public:
  Line& operator<<(const char* text) {
    while (*text != 0 && used_ < sizeof text_) text_[used_++] = *text++;
    return *this;
  }
  Line& operator<<(std::uint64_t value) {
    auto [end, error] = std::to_chars(text_ + used_, text_ + sizeof text_, value);
    if (error == std::errc{}) used_ = static_cast<std::size_t>(end - text_);
    return *this;
  }
  [[nodiscard]] bool write_to(int fd) const {
    return write(fd, text_, used_) == static_cast<ssize_t>(used_);
  }

 private:
  char text_[192];
  std::size_t used_ = 0;
};

[[noreturn]] inline void fail(const char* program, const char* what) {
  (void)(Line() << program << ": " << what << "\n").write_to(STDERR_FILENO);
  _exit(1);
}

/// The marker device, opened once. start() and stop() bracket one measured part of `count`
/// operations; the host stamps each at the write, and the text carries our own clock beside it.
class Marker {
 public:
  explicit Marker(const char* name)
      : name_(name), fd_(open("/dev/marker", O_WRONLY | O_APPEND | O_CLOEXEC)) {
    if (fd_ < 0) fail(name, "cannot open /dev/marker; run me by `typetwo exec`");
  }
  void start(std::uint64_t count) {
    put(Line() << "start " << name_ << " " << count << " " << now_ns() << "\n");
  }
  void stop() { put(Line() << "stop " << name_ << " " << now_ns() << "\n"); }

 private:
  void put(const Line& line) {
    if (!line.write_to(fd_)) fail(name_, "cannot write /dev/marker");
  }

  const char* name_;
  int fd_;
};

/// NAME [COUNT [PAIRS]]: operations in a measured part, and how many parts.
struct Arguments {
  std::uint64_t count;
  std::uint64_t pairs;

  Arguments(const char* name, int argc, char** argv, std::uint64_t default_count)
      : count(default_count), pairs(1) {
    if (argc > 1) count = number(name, argv[1]);
    if (argc > 2) pairs = number(name, argv[2]);
    if (argc > 3) fail(name, "usage: [COUNT [PAIRS]]");
  }

 private:
  static std::uint64_t number(const char* name, const char* text) {
    std::uint64_t value = 0;
    const char* end = text + std::strlen(text);
    auto [stopped, error] = std::from_chars(text, end, value);
    if (error != std::errc{} || stopped != end || value == 0) {
      fail(name, "COUNT and PAIRS are whole numbers above 0");
    }
    return value;
  }
};

/// The program's whole output: `NAME CHECK`, the same wherever it runs. The exit status.
inline int report(const char* name, std::uint64_t check) {
  return (Line() << name << " " << check << "\n").write_to(STDOUT_FILENO) ? 0 : 1;
}

/// Warm-up, then the measured parts: the sum of their check values. `work(count)` does so many
/// operations and returns theirs.
template <class Work>
std::uint64_t measure(const char* name, const Arguments& arguments, std::uint64_t warm_up,
                      Work work) {
  Marker marker(name);
  work(warm_up);
  std::uint64_t check = 0;
  for (std::uint64_t pair = 0; pair < arguments.pairs; ++pair) {
    marker.start(arguments.count);
    check += work(arguments.count);
    marker.stop();
  }
  return check;
}

}  // namespace micro
