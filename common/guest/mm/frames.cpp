// The frame table: see frames.h. Called on every page fault, by the page cache, fork and exit.
//
// Free frames are bits, 64 to a word, and a word is also the unit of placement (a chunk of 256
// KiB): a search for room looks at words only, and begins where the last one knew there was none
// before. The lowest free chunk is taken first, since memory that was in use is warm in the host's
// caches.
#include "guest/mm/frames.h"

#include <bit>

#include "guest/base/panic.h"
#include "guest/heap/heap.h"

namespace guest {

namespace {

constexpr std::uint16_t pinned = 0xffff;  // a count that overflowed: never free again
constexpr std::uint64_t all_bits = ~0ull;

class FrameTable {
 public:
  void init(Frames count);
  Result<FrameRun> allocate(Frames wanted);
  Result<FrameRun> allocate_at(Frame first, Frames wanted);
  Result<Frame> free_chunk();
  [[nodiscard]] bool fresh(FrameRun run) const;
  void retain(FrameRun run);
  void release(FrameRun run);
  [[nodiscard]] std::uint32_t references(Frame frame) const { return references_[frame]; }
  [[nodiscard]] Frames free() const { return free_count_; }
  [[nodiscard]] Frames total() const { return Frames(total_); }
  void set_reclaimer(FrameReclaimer reclaimer) { reclaimer_ = reclaimer; }
  void reclaim(Frames wanted) const {
    if (reclaimer_) reclaimer_(wanted);
  }

 private:
  [[nodiscard]] bool is_free(Frame frame) const { return free_[frame / 64] >> (frame % 64) & 1; }
  void check(FrameRun run) const {
    KERNEL_ASSERT(run.first < total_ && run.count.number <= total_ - run.first);
  }
  Result<Frame> first_free();

  Frame total_ = 0;  // one past the last
  std::uint32_t words_ = 0;
  Frames free_count_;
  std::uint16_t* references_ = nullptr;
  std::uint64_t* free_ = nullptr;   // bit set: free
  std::uint64_t* fresh_ = nullptr;  // bit set: never released since boot
  std::uint32_t chunk_hint_ = 0;    // no wholly free word below
  std::uint32_t free_hint_ = 0;     // no free bit in the words below
  Frame cursor_ = 0;                // where allocate() continues
  FrameReclaimer reclaimer_ = nullptr;
};

template <class T>
T* allocate_array(T* old, std::size_t count) {
  heap_free(old);
  auto* array = static_cast<T*>(heap_allocate(count * sizeof(T)));
  if (!array) panic("the kernel heap cannot hold the frame table: less guest memory, please");
  return array;
}

void FrameTable::init(Frames count) {
  const std::uint32_t total = total_ = count.number;
  free_count_ = count;
  words_ = (total + 63) / 64;
  chunk_hint_ = free_hint_ = 0;
  cursor_ = 0;
  reclaimer_ = nullptr;
  references_ = allocate_array(references_, total);
  free_ = allocate_array(free_, words_);
  fresh_ = allocate_array(fresh_, words_);
  for (std::uint32_t i = 0; i < total; ++i) references_[i] = 0;
  for (std::uint32_t i = 0; i < words_; ++i) free_[i] = fresh_[i] = all_bits;
  if (total % 64) free_[words_ - 1] = (1ull << (total % 64)) - 1;
}

Result<Frame> FrameTable::free_chunk() {
  while (chunk_hint_ < words_ && free_[chunk_hint_] != all_bits) ++chunk_hint_;
  if (chunk_hint_ == words_) return Errno::nomem;
  return chunk_hint_ * 64;
}

Result<Frame> FrameTable::first_free() {
  while (free_hint_ < words_ && free_[free_hint_] == 0) ++free_hint_;
  if (free_hint_ == words_) return Errno::nomem;
  return free_hint_ * 64 + static_cast<Frame>(std::countr_zero(free_[free_hint_]));
}

Result<FrameRun> FrameTable::allocate_at(Frame first, Frames wanted) {
  if (first >= total_ || !is_free(first)) return Errno::nomem;
  FrameRun run{first, {}};
  for (Frame frame = first; run.count < wanted && frame < total_ && is_free(frame); ++frame) {
    free_[frame / 64] &= ~(1ull << (frame % 64));
    references_[frame] = 1;
    run.count += Frames(1);
  }
  free_count_ -= run.count;
  return run;
}

Result<FrameRun> FrameTable::allocate(Frames wanted) {
  if (!free_count_) reclaim(frames_per_chunk);
  if (cursor_ >= total_ || !is_free(cursor_)) {
    auto chunk = free_chunk();
    cursor_ = chunk.ok() ? chunk.value() : TRY(first_free());
  }
  auto run = allocate_at(cursor_, wanted);
  if (run.ok()) cursor_ = run.value().end();
  return run;
}

bool FrameTable::fresh(FrameRun run) const {
  for (Frame frame = run.first; frame < run.end(); ++frame) {
    if (!(fresh_[frame / 64] >> (frame % 64) & 1)) return false;
  }
  return true;
}

void FrameTable::retain(FrameRun run) {
  check(run);
  for (Frame i = run.first; i < run.end(); ++i) {
    KERNEL_ASSERT(references_[i] != 0);
    if (references_[i] != pinned) ++references_[i];
  }
}

void FrameTable::release(FrameRun run) {
  check(run);
  for (Frame i = run.first; i < run.end(); ++i) {
    KERNEL_ASSERT(references_[i] != 0);
    if (references_[i] == pinned || --references_[i] != 0) continue;
    std::uint32_t word = i / 64;
    free_[word] |= 1ull << (i % 64);
    fresh_[word] &= ~(1ull << (i % 64));
    free_count_ += Frames(1);
    if (word < free_hint_) free_hint_ = word;
    if (word < chunk_hint_ && free_[word] == all_bits) chunk_hint_ = word;
  }
}

constinit FrameTable table;

}  // namespace

void frames_init(Frames total, FrameRun taken) {
  table.init(total);
  if (!taken.count) return;
  auto run = table.allocate_at(taken.first, taken.count);
  if (!run.ok() || run.value().count != taken.count) {
    panic("the boot tree lies outside of guest memory");
  }
}

Result<FrameRun> frames_allocate(Frames wanted) {
  return table.allocate(wanted);
}
Result<FrameRun> frames_allocate_at(Frame first, Frames wanted) {
  return table.allocate_at(first, wanted);
}
Result<Frame> frames_free_chunk() {
  return table.free_chunk();
}
bool frames_are_fresh(FrameRun run) {
  return table.fresh(run);
}
void frames_set_reclaimer(FrameReclaimer reclaimer) {
  table.set_reclaimer(reclaimer);
}
void frames_reclaim(Frames wanted) {
  table.reclaim(wanted);
}
void frame_retain(Frame frame) {
  table.retain({frame, Frames(1)});
}
void frame_release(Frame frame) {
  table.release({frame, Frames(1)});
}
void frames_retain(FrameRun run) {
  table.retain(run);
}
void frames_release(FrameRun run) {
  table.release(run);
}
std::uint32_t frame_references(Frame frame) {
  return table.references(frame);
}
Frames frames_free() {
  return table.free();
}
Frames frames_total() {
  return table.total();
}

}  // namespace guest
