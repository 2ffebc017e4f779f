// A copy of a run of a file's pages, for a monitor that rewrites code
// (vmi::Hypercalls::patch_text). It belongs to the inode, so that every process that maps the file
// there runs the rewritten code, and what the file's readers see stays the file. Made by
// AddressSpace::own_text, found by page faults; dropped with the inode, or by the file system as
// soon as the file changes.
#pragma once

#include <cstdint>

#include "guest/base/ref.h"
#include "guest/mm/frames.h"

namespace guest {

struct TextCopy : Counted {
  TextCopy() = default;
  ~TextCopy() { frame_release(run.first, run.count); }

  [[nodiscard]] std::uint64_t end_page() const { return page + run.count; }
  [[nodiscard]] Frame frame_at(std::uint64_t file_page) const {
    return run.first + static_cast<std::uint32_t>(file_page - page);
  }

  [[nodiscard]] std::uint64_t end() const {
    return va + (std::uint64_t{run.count} << vmi::page_shift);
  }

  std::uint64_t page = 0;  // first page of the file
  std::uint64_t va = 0;    // where it is mapped, always
  FrameRun run{};
  Ref<TextCopy> next;
};

/// The copies of one inode.
class TextCopies {
 public:
  TextCopies() = default;
  ~TextCopies() { drop(); }
  TextCopies(const TextCopies&) = delete;
  TextCopies& operator=(const TextCopies&) = delete;

  /// The copy that has `file_page` for a mapping at `va`; nullptr: none.
  TextCopy* find(std::uint64_t file_page, std::uint64_t va);
  /// Narrows [begin, end), addresses of a mapping that has byte `offset` of the file at `va`, to a
  /// stretch around `va` that no copy covers. None covers `va` itself.
  void keep_clear(std::uint64_t offset, std::uint64_t va, std::uint64_t& begin,
                  std::uint64_t& end) const;
  /// Copies `original`, pages from `file_page` on, as they are to be mapped from `va` on. ENOMEM.
  Result<TextCopy*> make(std::uint64_t file_page, std::uint64_t va, FrameRun original);
  void drop();

 private:
  Ref<TextCopy> first_;
};

}  // namespace guest
