// PageSource: where the pages of a mapping come from if not from memory of its own. It is all that
// memory management knows of files: inodes implement it, and so does SharedMemory. Asked by page
// faults of the current space, by msync and by mprotect.
#pragma once

#include <cstdint>

#include "guest/base/ref.h"
#include "guest/base/result.h"
#include "guest/mm/file_mappings.h"
#include "guest/mm/frames.h"
#include "guest/mm/text_copy.h"

namespace guest {

class PageSource : public Counted {
 public:
  virtual ~PageSource() = default;

  /// In bytes, as it stands now: a page that begins beyond is not there (EIO, SIGBUS).
  virtual std::uint64_t length() = 0;
  /// The frames behind pages [page, page + max): the longest contiguous run from `page` on, at
  /// least one, at most `max`. The caller retains what it maps. ENODEV: not mappable.
  virtual Result<FrameRun> pages(std::uint64_t page, Frames max) = 0;

  /// Is this page in memory? For mincore.
  [[nodiscard]] virtual bool has_page(std::uint64_t /*page*/) const { return true; }

  /// Must share_pages() be asked before a page is mapped for writing? It is then only when somebody
  /// writes: reading a hole takes no room.
  [[nodiscard]] virtual bool grants_writes() const { return false; }
  /// Pages [page, page + count), which pages() gave and the caller holds, become writable by
  /// programs without further notice (a shared mapping). ENOSPC: fewer of them may do.
  virtual Result<> share_pages(std::uint64_t /*page*/, Frames /*count*/) { return {}; }
  /// Contents and attributes are on stable storage when this returns.
  virtual Result<> sync() { return {}; }

  /// What stat calls it; zeros: it is no file.
  struct Identity {
    std::uint64_t device = 0, inode = 0;
  };
  virtual Identity identity() { return {}; }

  /// Whoever changes the contents says so then: who runs a copy of the text as it was gets it as it
  /// is.
  void contents_changed() {
    if (text_copies.drop()) mappings.renew_text();
  }
  /// From now on nobody says so.
  void contents_change_unnoticed() {
    if (text_copies.forbid()) mappings.renew_text();
  }

  /// Whoever makes it shorter cuts them.
  FileMappings mappings;
  /// What the monitor may rewrite of a program's code.
  TextCopies text_copies;
};

}  // namespace guest
