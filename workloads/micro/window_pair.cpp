// window-pair: the host's own price of opening and closing the window: mprotect to RWX, one write
// into it, mprotect to PROT_NONE, over a 2 MiB memfd mapping collapsed into one large page. The
// floor below protect=mprotect on this host. Standalone only: it asks for what guests do not have.
// The calls are inlined: where closing the window costs more of the TLB than its own entry, each
// page that a program needs in between adds to the pair, and the C library's wrappers made it 2.6
// us instead of 1.2. The check value counts pairs whose write arrived. Exits 3 where the host gives
// no large page: the number would be another one.
#include <sys/mman.h>
#include <sys/syscall.h>

#include "marker.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace {

constexpr const char* name = "window-pair";
constexpr std::size_t window = 2u << 20;

std::uint8_t* map_window() {
  const int fd = memfd_create("window", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, window) != 0) micro::fail(name, "memfd_create failed");
  // A large page needs an aligned address: reserve twice as much, map inside.
  void* space = mmap(nullptr, 2 * window, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const auto address = (reinterpret_cast<std::uintptr_t>(space) + window - 1) & ~(window - 1);
  void* mapped = mmap(reinterpret_cast<void*>(address), window, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_SHARED | MAP_FIXED, fd, 0);
  if (mapped == MAP_FAILED) micro::fail(name, "mmap of the memfd failed");
  auto* bytes = static_cast<std::uint8_t*>(mapped);
  std::memset(bytes, 1, window);
  if (madvise(bytes, window, MADV_COLLAPSE) != 0) {
    (void)(micro::Line() << name << ": MADV_COLLAPSE failed; needs Linux 6.1\n").write_to(2);
    _exit(3);
  }
  return bytes;
}

inline long protect(std::uint8_t* bytes, long protection) {
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(SYS_mprotect), "D"(bytes), "S"(window), "d"(protection)
               : "rcx", "r11", "memory");
  return result;
}

std::uint64_t open_and_close(std::uint8_t* bytes, std::uint64_t count) {
  std::uint64_t arrived = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (protect(bytes, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) break;
    auto& byte = const_cast<volatile std::uint8_t&>(bytes[4096]);
    byte = static_cast<std::uint8_t>(i);
    arrived += byte == static_cast<std::uint8_t>(i);
    if (protect(bytes, PROT_NONE) != 0) break;
  }
  return arrived;
}

}  // namespace

int main(int argc, char** argv) {
  const micro::Arguments arguments(name, argc, argv, 100'000);
  std::uint8_t* bytes = map_window();
  return micro::report(
      name, micro::measure(name, arguments, arguments.count / 10 + 1,
                           [&](std::uint64_t count) { return open_and_close(bytes, count); }));
}
