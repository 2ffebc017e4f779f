// SharedMemory: see the header. Called by AddressSpace's faults.
#include "guest/mm/shared_memory.h"

#include <algorithm>

#include "guest/platform.h"

namespace guest {

SharedMemory::~SharedMemory() {
  for (ExtentNode* run = frames_.first(); run; run = run->following()) {
    frame_release(run->frame, run->pages);
  }
}

Result<FrameRun> SharedMemory::pages(std::uint64_t page, std::uint32_t max) {
  std::uint64_t offset = page << vmi::page_shift;
  if (ExtentNode* run = frames_.find(offset)) {
    auto left = static_cast<std::uint32_t>((run->end() - offset) >> vmi::page_shift);
    return FrameRun{run->frame_at(offset), std::min(max, left)};
  }
  std::uint32_t wanted = std::min(max, pages_at_once);
  if (ExtentNode* next = frames_.first_ending_after(offset)) {
    std::uint64_t gap = (next->va - offset) >> vmi::page_shift;
    if (gap < wanted) wanted = static_cast<std::uint32_t>(gap);
  }
  FrameRun run = TRY(frames_allocate(wanted));
  if (!frames_are_fresh(run)) hypercalls().zero_frames(run.first, run.count);
  auto added = frames_.add(offset, run, 0, 0, ~0ull);
  if (!added.ok()) {
    frame_release(run.first, run.count);
    return added.error();
  }
  return run;
}

}  // namespace guest
