// The host's mappings of the current space: see the header.
#include "guest/mm/host_mappings.h"

#include "guest/base/panic.h"
#include "guest/platform.h"

namespace guest {

namespace {

void unmap_everything() {
  const Pages all = pages_between(vmi::user_begin, vmi::user_end);
  if (hypercalls().unmap(vmi::user_begin, all) < 0) panic("the host does not unmap user memory");
}

}  // namespace

Result<> host_map(std::uint64_t va, FrameRun run, std::uint32_t protection, std::uint32_t flags) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (hypercalls().map(va, run.first, run.count, protection, flags) >= 0) return {};
    unmap_everything();  // makes room, too
  }
  return Errno::nomem;
}

void host_unmap(std::uint64_t begin, std::uint64_t end) {
  if (hypercalls().unmap(begin, pages_between(begin, end)) < 0) unmap_everything();
}

void host_protect(std::uint64_t begin, std::uint64_t end, std::uint32_t protection) {
  // It also stops at a page that it lacks.
  if (hypercalls().protect(begin, pages_between(begin, end), protection) < 0)
    host_unmap(begin, end);
}

}  // namespace guest
