// FileRuns: which page frames hold a file's pages. A file is a sorted list of runs of contiguous
// frames; what no run covers is a hole. Used by files in memory, which read holes as zeros, and as
// ext2's page cache.
#pragma once

#include <cstdint>

#include "guest/heap/vec.h"
#include "guest/mm/frames.h"

namespace guest {

/// Writes zeros from byte `offset` of `frame` on, over as many following frames as it takes.
void zero_frame_bytes(Frame frame, std::uint64_t offset, std::uint64_t bytes);

class FileRuns {
 public:
  FileRuns() = default;
  ~FileRuns() { cut(0); }
  FileRuns(const FileRuns&) = delete;
  FileRuns& operator=(const FileRuns&) = delete;

  /// The stretch of pages from `page` on that is alike: frames in one run, or a hole.
  struct Span {
    bool hole;
    Frame frame;          // of `page`, unless it's a hole
    std::uint32_t pages;  // a hole behind the last run: UINT32_MAX
  };
  [[nodiscard]] Span span(std::uint32_t page) const;

  /// Fills (part of) the hole at `page` with `frames`, whose references pass to this list.
  Result<> insert(std::uint32_t page, FrameRun frames);
  /// Lets go of all frames from `page` on.
  void cut(std::uint32_t page);
  /// Lets go of the frame of one page, which becomes a hole. ENOMEM.
  Result<> drop(std::uint32_t page);
  /// Lets go of up to `most` frames that nobody else holds, the first ones first; of a run that
  /// others hold at both ends none. Returns how many.
  std::uint32_t drop_unshared(std::uint32_t most);
  /// Would it let go of any?
  [[nodiscard]] bool any_unshared() const;

  /// Frames held.
  [[nodiscard]] std::uint32_t frames() const { return frames_; }
  /// One past the last page that a run covers.
  [[nodiscard]] std::uint32_t end() const;

 private:
  struct Run {
    std::uint32_t page;
    Frame frame;
    std::uint32_t count;
    [[nodiscard]] std::uint32_t end() const { return page + count; }
  };
  /// Index of the first run that ends behind `page`.
  [[nodiscard]] std::size_t find(std::uint32_t page) const;

  Vec<Run> runs_{HeapKind::inode};
  std::uint32_t frames_ = 0;
};

}  // namespace guest
