// switch-cost COUNT PAIRS MIB: pipe-switch when each of the two processes has touched MIB MiB whose
// protection changes every 64 KiB. What is varied so is the number of *runs*: pieces of an address
// space that one mapping describes. Memory touched from one end to the other is few runs, however
// much it is, and a monitor that maps an address space anew at each switch would not show what it
// does. Protections that alternate (read-write, read-only) keep runs apart everywhere, with no hole
// between them that a monitor could fill: 16 runs a MiB, on the host just as in a guest. The check
// value is how many bytes came back as the other process must have changed them.
#include "ping_pong.h"
#include "region.h"

namespace {

constexpr std::uint64_t stripe_pages = 16;
constexpr std::uint64_t pages_in_mib = 256;

/// Memory of one process's own, all touched, in stripes. A page more, so that it may be 0 MiB.
class Stripes {
 public:
  Stripes(const char* name, std::uint64_t mib, std::uint64_t seed)
      : pages_(mib * pages_in_mib), seed_(seed), region_(name, pages_ + 1) {
    for (std::uint64_t i = 0; i < pages_; ++i) {
      if (!region_.touch(i, seed + i)) micro::fail(name, "fresh memory is not zeroed");
    }
    for (std::uint64_t i = 0; i < pages_; i += 2 * stripe_pages) {
      if (!region_.make_read_only(i, stripe_pages)) micro::fail(name, "mprotect failed");
    }
  }
  [[nodiscard]] bool intact() const {
    for (std::uint64_t i = 0; i < pages_; ++i) {
      if (region_.stamp(i) != seed_ + i + 1) return false;
    }
    return true;
  }

 private:
  std::uint64_t pages_, seed_;
  micro::Region region_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) micro::fail("switch-cost", "usage: COUNT PAIRS MIB");
  // Each point of the sweep is a workload by its own name.
  char name[32] = "switch-";
  std::strncat(name, argv[3], 16);
  std::strcat(name, "m");
  std::uint64_t mib = 0;
  const char* end = argv[3] + std::strlen(argv[3]);
  if (std::from_chars(argv[3], end, mib).ptr != end) micro::fail(name, "MIB is a whole number");
  const micro::Arguments arguments(name, argc - 1, argv, 1000);
  return micro::ping_pong(name, arguments, micro::two_pipes(name),
                          [&](std::uint64_t seed) { return Stripes(name, mib, seed); });
}
