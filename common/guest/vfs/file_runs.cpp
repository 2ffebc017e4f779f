// FileRuns: see the header. Sequential files have one or few runs, so the list is a plain array,
// searched by halves; runs that turn out adjacent in file and memory become one.
#include "guest/vfs/file_runs.h"

#include "guest/platform.h"

namespace guest {

void zero_frame_bytes(Frame frame, std::uint64_t offset, std::uint64_t bytes) {
  static const std::uint8_t zeros[1024] = {};
  frame += static_cast<Frame>(offset >> vmi::page_shift);
  offset %= vmi::page_size;
  while (bytes) {
    if (offset == 0 && bytes >= vmi::page_size) {
      const Frames whole = frames_for(vmi::whole_pages(Bytes(bytes)));
      hypercalls().zero_frames(frame, whole);
      frame = frame + whole;
      bytes %= vmi::page_size;
      continue;
    }
    std::uint64_t part = vmi::page_size - offset;
    if (part > bytes) part = bytes;
    if (part > sizeof zeros) part = sizeof zeros;
    hypercalls().poke_frame(frame, Bytes(offset), zeros, Bytes(part));
    bytes -= part;
    offset += part;
    if (offset == vmi::page_size) {
      offset = 0;
      ++frame;
    }
  }
}

std::size_t FileRuns::find(std::uint32_t page) const {
  std::size_t low = 0, high = runs_.size();
  while (low < high) {
    std::size_t middle = (low + high) / 2;
    if (runs_[middle].end() <= page)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

FileRuns::Span FileRuns::span(std::uint32_t page) const {
  std::size_t i = find(page);
  if (i == runs_.size()) return {true, 0, UINT32_MAX};
  const Run& run = runs_[i];
  if (page < run.page) return {true, 0, run.page - page};
  return {false, run.frame + (page - run.page), run.end() - page};
}

std::uint32_t FileRuns::end() const {
  return runs_.empty() ? 0 : runs_[runs_.size() - 1].end();
}

Result<> FileRuns::insert(std::uint32_t page, FrameRun frames) {
  std::size_t i = find(page);
  if (i > 0 && runs_[i - 1].end() == page &&
      runs_[i - 1].frame + runs_[i - 1].count == frames.first) {
    runs_[i - 1].count += frames.count.number;
  } else {
    if (runs_.empty()) TRY(runs_.reserve(1));  // most files never get a second run
    TRY(runs_.insert(i, Run{page, frames.first, frames.count.number}));
  }
  frames_ += frames.count.number;
  return {};
}

void FileRuns::cut(std::uint32_t page) {
  while (!runs_.empty() && runs_.back().end() > page) {
    Run& run = runs_.back();
    std::uint32_t keep = run.page < page ? page - run.page : 0;
    frames_release({run.frame + keep, Frames(run.count - keep)});
    frames_ -= run.count - keep;
    if (keep) {
      run.count = keep;
    } else {
      runs_.erase(runs_.size() - 1);
    }
  }
}

Result<> FileRuns::drop(std::uint32_t page) {
  const std::size_t i = find(page);
  if (i == runs_.size() || page < runs_[i].page) return {};
  const Run run = runs_[i];
  const std::uint32_t before = page - run.page, behind = run.end() - page - 1;
  if (before && behind) TRY(runs_.insert(i + 1, Run{page + 1, run.frame + before + 1, behind}));
  if (before)
    runs_[i].count = before;
  else if (behind)
    runs_[i] = Run{page + 1, run.frame + 1, behind};
  else
    runs_.erase(i);
  frame_release(run.frame + before);
  --frames_;
  return {};
}

bool FileRuns::any_unshared() const {
  for (const Run& run : runs_)
    if (frame_references(run.frame) == 1 || frame_references(run.frame + run.count - 1) == 1)
      return true;
  return false;
}

std::uint32_t FileRuns::drop_unshared(std::uint32_t most) {
  std::uint32_t dropped = 0;
  std::size_t kept = 0;
  auto droppable = [&](Frame frame) { return dropped < most && frame_references(frame) == 1; };
  for (Run run : runs_) {
    for (; run.count && droppable(run.frame); ++run.page, ++run.frame, --run.count, ++dropped)
      frame_release(run.frame);
    for (; run.count && droppable(run.frame + run.count - 1); --run.count, ++dropped)
      frame_release(run.frame + run.count - 1);
    if (run.count) runs_[kept++] = run;
  }
  while (runs_.size() > kept) runs_.erase(runs_.size() - 1);
  frames_ -= dropped;
  return dropped;
}

}  // namespace guest
