// A copy of a run of a file's pages, for a monitor that rewrites code
// (vmi::Hypercalls::patch_text). It belongs to the file, so that every process that maps the file
// there runs the rewritten code, and what the file's readers see stays the file. Made by
// AddressSpace::own_text, found by page faults; dropped with the file, or as soon as the file
// changes, and then by those that have it mapped, too (FileMappings::renew_text). Rewritten code is
// right at its address only, and nobody's data: a mapping that is moved or made writable has the
// file's own pages (AddressSpace::drop_text_copies).
#pragma once

#include <cstdint>

#include "guest/base/list.h"
#include "guest/base/ref.h"
#include "guest/mm/frames.h"

namespace guest {

struct TextCopy : Counted {
  TextCopy();
  ~TextCopy();
  /// Undoes what the monitor has rewritten in all copies, mapped or not.
  static void restore_all();

  [[nodiscard]] std::uint64_t end_page() const { return page + run.count.number; }
  [[nodiscard]] Frame frame_at(std::uint64_t file_page) const {
    return run.first + static_cast<std::uint32_t>(file_page - page);
  }

  [[nodiscard]] std::uint64_t end() const { return va + bytes_of(run.count); }
  [[nodiscard]] Frame frame_for(std::uint64_t address) const {
    return run.first + frames_for(pages_between(va, address));
  }
  [[nodiscard]] bool mapped() const;

  std::uint64_t page = 0;  // first page of the file
  std::uint64_t va = 0;    // where it is mapped, always
  FrameRun run{};
  bool stale = false;  // the file has changed: no longer found, but somebody may still map it
  Ref<TextCopy> next;  // of the same inode
  ListNode of_all;
};

/// The copies of one file.
class TextCopies {
 public:
  TextCopies() = default;
  ~TextCopies();
  TextCopies(const TextCopies&) = delete;
  TextCopies& operator=(const TextCopies&) = delete;

  /// The copy that has `file_page` for a mapping at `va`; nullptr: none.
  TextCopy* find(std::uint64_t file_page, std::uint64_t va);
  /// Narrows [begin, end), addresses of a mapping that has byte `offset` of the file at `va`, to a
  /// stretch around `va` that no copy covers. None covers `va` itself.
  void keep_clear(std::uint64_t offset, std::uint64_t va, std::uint64_t& begin,
                  std::uint64_t& end) const;
  /// Copies `original`, pages from `file_page` on, as they are to be mapped from `va` on. ENOMEM;
  /// EACCES: the file changes without notice, or the monitor does not want these pages.
  Result<TextCopy*> make(std::uint64_t file_page, std::uint64_t va, FrameRun original);
  /// The file has changed: none is found any more. Was there one?
  bool drop();
  /// And from now on it changes without notice.
  bool forbid();
  /// All, stale ones too.
  [[nodiscard]] const TextCopy* first() const { return first_.get(); }

 private:
  enum class Kind { stale, any };
  void forget_unmapped(Kind kind);

  Ref<TextCopy> first_;
  std::uint32_t count_ = 0;
  bool forbidden_ = false;
};

}  // namespace guest
