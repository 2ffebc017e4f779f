// ExtentMap: the page table of an address space, as runs of pages mapped to runs of frames. The
// monitor reads the same list (vmi::Extent). It also serves shared anonymous memory, whose
// "addresses" are offsets. Bookkeeping only: hypercalls and reference counts are the callers'.
#pragma once

#include <cstdint>

#include "guest/base/narrow.h"
#include "guest/base/result.h"
#include "guest/mm/frames.h"
#include "guest/mm/skip_list.h"
#include "vmi/hypercalls.h"

namespace guest {

/// One run. The tower of links above the bottom list follows the node in memory.
struct ExtentNode : vmi::Extent {
  [[nodiscard]] std::uint64_t end() const { return va + bytes_of(count); }
  [[nodiscard]] FrameRun run() const { return {frame, count}; }
  [[nodiscard]] Frame frame_at(std::uint64_t address) const {
    return frame + frames_for(pages_between(va, address));
  }
  [[nodiscard]] ExtentNode* following() const { return static_cast<ExtentNode*>(Extent::next); }

  // For SkipList.
  [[nodiscard]] int height() const { return static_cast<int>(reserved); }
  [[nodiscard]] ExtentNode* next(int level) const {
    return level ? tower()[level - 1] : following();
  }
  void set_next(int level, ExtentNode* node) {
    if (level) {
      tower()[level - 1] = node;
    } else {
      Extent::next = node;
    }
  }

 private:
  [[nodiscard]] ExtentNode** tower() const {
    return reinterpret_cast<ExtentNode**>(const_cast<ExtentNode*>(this) + 1);
  }
};

class ExtentMap {
 public:
  ExtentMap() = default;
  ExtentMap(const ExtentMap&) = delete;
  ExtentMap& operator=(const ExtentMap&) = delete;
  ~ExtentMap();

  [[nodiscard]] ExtentNode* first() const { return list_.first(); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] Pages total_pages() const { return pages_; }
  /// The most there have been.
  [[nodiscard]] Pages peak_pages() const { return peak_; }
  /// The extent that holds `va`, or nullptr.
  [[nodiscard]] ExtentNode* find(std::uint64_t va) const;
  /// The last extent that begins at or before `va`.
  [[nodiscard]] ExtentNode* at_or_before(std::uint64_t va) const { return list_.at_or_before(va); }
  /// The first extent that ends after `va`: where a walk over a range begins.
  [[nodiscard]] ExtentNode* first_ending_after(std::uint64_t va) const;

  /// Adds a run where nothing is. It joins its neighbours when frames and protection continue
  /// and they lie in [low, high). ENOMEM.
  Result<> add(std::uint64_t va, FrameRun run, std::uint32_t protection, std::uint64_t low,
               std::uint64_t high);
  /// Makes `va` a boundary between extents. ENOMEM.
  Result<> split_at(std::uint64_t va);
  /// Removes an extent whose frames are the caller's to release.
  void remove(ExtentNode& extent);
  /// Joins with the neighbours that continue it and lie in [low, high). Returns what remains.
  ExtentNode& join(ExtentNode& extent, std::uint64_t low, std::uint64_t high);
  /// Gives an extent another address: for moved mappings. Nothing may be there.
  void rekey(ExtentNode& extent, std::uint64_t va);

 private:
  ExtentNode* make_node();

  void count(FrameRun run) {
    pages_ += pages_of(run.count);
    if (peak_ < pages_) peak_ = pages_;
  }
  void erase(ExtentNode& extent);

  SkipList<ExtentNode> list_;
  Pages pages_, peak_;
};

}  // namespace guest
