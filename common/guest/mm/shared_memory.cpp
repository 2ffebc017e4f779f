// SharedMemory: see the header. Called by AddressSpace's faults.
#include "guest/mm/shared_memory.h"

#include <algorithm>

#include "guest/platform.h"

namespace guest {

SharedMemory::~SharedMemory() {
  for (ExtentNode* run = frames_.first(); run; run = run->following()) {
    frames_release(run->run());
  }
}

Frames SharedMemory::resident() const {
  Frames all{0};
  for (ExtentNode* run = frames_.first(); run; run = run->following()) all += run->run().count;
  return all;
}

Result<FrameRun> SharedMemory::pages(std::uint64_t page, Frames max) {
  std::uint64_t offset = page << vmi::page_shift;
  if (ExtentNode* run = frames_.find(offset)) {
    const Frames left = frames_for(pages_between(offset, run->end()));
    return FrameRun{run->frame_at(offset), std::min(max, left)};
  }
  Frames wanted = std::min(max, pages_at_once);
  if (ExtentNode* next = frames_.first_ending_after(offset)) {
    const Pages gap = pages_between(offset, next->va);
    if (gap < pages_of(wanted)) wanted = frames_for(gap);
  }
  FrameRun run = TRY(frames_allocate(wanted));
  if (!frames_are_fresh(run)) hypercalls().zero_frames(run.first, run.count);
  auto added = frames_.add(offset, run, 0, 0, ~0ull);
  if (!added.ok()) {
    frames_release(run);
    return added.error();
  }
  return run;
}

}  // namespace guest
