// pipe-switch-32m: pipe-switch between two processes that have touched 32 MiB of memory each: what
// a switch of address space costs when there is much in it. Each process touches one word of every
// page before the clock starts, and the pages again after it, to see that they are still its own.
// The check value is how many bytes came back as the other process must have changed them.
#include "ping_pong.h"
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

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 1000);
  return micro::ping_pong(name, arguments, micro::two_pipes(name),
                          [](std::uint64_t seed) { return Ballast(seed); });
}
