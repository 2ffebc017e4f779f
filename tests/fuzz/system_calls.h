// Random system calls, plausible and hostile: what the two system-call fuzzers share. The guest
// program (syscall_program.cpp) makes them for real, the hosted one (kernel_fuzz.cpp) hands them to
// the guest kernel built for the host. All choices come from one seed; no heap, no exceptions: half
// of it runs in guests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fuzz {

/// splitmix64: small, and the same everywhere.
class Choices {
 public:
  explicit Choices(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  template <class T, std::size_t n>
  const T& of(const T (&array)[n]) {
    return array[below(n)];
  }

 private:
  std::uint64_t state_;
};

/// User memory with a fixed place: pages that hold what calls point to, and room where mappings
/// come and go. Whoever makes the calls maps the first one, readable and writable, now and then
/// again.
inline constexpr std::uint64_t arena = 0x1000'0000, arena_pages = 64;
inline constexpr std::uint64_t churn = 0x2000'0000, churn_pages = 512;

struct Call {
  std::uint64_t number = 0;
  std::uint64_t arguments[6] = {};
};

/// What a call needs that the generator cannot know.
class Surroundings {
 public:
  /// Puts bytes into user memory, if that is possible there now.
  virtual void store(std::uint64_t address, const void* bytes, std::size_t count) = 0;
  /// A process id to aim at: the caller's own, a relative's, one of the past.
  virtual std::uint64_t some_pid(Choices& choices) = 0;
  /// A function that may be a signal handler, and the address of its way back.
  std::uint64_t handler = 0, restorer = 0;

 protected:
  ~Surroundings() = default;
};

Call random_call(Choices& choices, Surroundings& around);

/// The calls that may block for long where nothing else happens: callers may want fewer.
bool may_block(std::uint64_t number);
/// A call that ends the caller.
bool ends_process(std::uint64_t number);

/// One of the names that calls use, all below the working directory or harmless.
std::string_view random_path(Choices& choices);
/// A page-edge, a length, an address of the gate: a number that has been wrong somewhere before.
std::uint64_t hostile_number(Choices& choices);

inline constexpr std::uint64_t highest_number = 460;

/// The first program's process. Its end would be the machine's.
inline constexpr int first_pid = 2;
/// Would a signal to `who`, as kill() has it, reach the first process?
constexpr bool reaches_first(int who) {
  return who == first_pid || who == -first_pid || who == -1;
}

}  // namespace fuzz
