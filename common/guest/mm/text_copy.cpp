// See text_copy.h. Kernel mode, in page faults and in the upcall that asks for text.
#include "guest/mm/text_copy.h"

#include <algorithm>
#include <utility>

#include "guest/heap/make.h"
#include "guest/platform.h"

namespace guest {

namespace {

/// More than Debian's largest libraries' text would take memory for little: what is executed is
/// hot.
constexpr Frames most_frames{2048};
/// Of one file. Programs choose where they map it, and each fault looks at all copies.
constexpr std::uint32_t most_copies = 64;

List<TextCopy, &TextCopy::of_all> all_copies;

}  // namespace

TextCopy::TextCopy() {
  all_copies.push_back(*this);
}

TextCopy::~TextCopy() {
  of_all.unlink();
  frames_release(run);
}

void TextCopy::restore_all() {
  for (const TextCopy& copy : all_copies)
    hypercalls().restore_text(copy.va, copy.run.first, copy.run.count);
}

bool TextCopy::mapped() const {
  for (Frame frame = run.first; frame != run.end(); ++frame)
    if (frame_references(frame) != 1) return true;
  return false;
}

TextCopy* TextCopies::find(std::uint64_t file_page, std::uint64_t va) {
  for (TextCopy* copy = first_.get(); copy; copy = copy->next.get()) {
    if (!copy->stale && file_page >= copy->page && file_page < copy->end_page() &&
        va - copy->va == (file_page - copy->page) << vmi::page_shift) {
      return copy;
    }
  }
  return nullptr;
}

void TextCopies::keep_clear(std::uint64_t offset, std::uint64_t va, std::uint64_t& begin,
                            std::uint64_t& end) const {
  for (const TextCopy* copy = first_.get(); copy; copy = copy->next.get()) {
    if (copy->stale || copy->va - (copy->page << vmi::page_shift) != va - offset)
      continue;  // mapped elsewhere
    if (copy->end() <= va) begin = std::max(begin, copy->end());
    if (copy->va > va) end = std::min(end, copy->va);
  }
}

/// One by one: a copy that took the rest of the list with it would take stack for each.
TextCopies::~TextCopies() {
  while (first_) first_ = std::exchange(first_->next, {});
}

void TextCopies::forget_unmapped(Kind kind) {
  for (Ref<TextCopy>* link = &first_; *link;) {
    TextCopy& copy = **link;
    if ((kind == Kind::any || copy.stale) && !copy.mapped()) {
      *link = std::exchange(copy.next, {});
      --count_;
    } else {
      link = &copy.next;
    }
  }
}

bool TextCopies::drop() {
  bool news = false;
  for (TextCopy* copy = first_.get(); copy; copy = copy->next.get())
    news |= !std::exchange(copy->stale, true);
  if (news) forget_unmapped(Kind::stale);
  return news;
}

bool TextCopies::forbid() {
  forbidden_ = true;
  return drop();
}

Result<TextCopy*> TextCopies::make(std::uint64_t file_page, std::uint64_t va, FrameRun original) {
  if (forbidden_) return Errno::acces;
  if (count_ == most_copies) forget_unmapped(Kind::any);
  if (count_ == most_copies) return Errno::nomem;
  if (original.count > most_frames || frames_free() < frames_total() / 4) return Errno::nomem;
  auto copy = TRY(make_ref<TextCopy>());
  // One run or none: the point is that one host mapping serves it.
  copy->run = TRY(frames_allocate(original.count));
  if (copy->run.count != original.count) return Errno::nomem;
  hypercalls().copy_frames(copy->run.first, original.first, original.count);
  if (!hypercalls().may_rewrite(va, copy->run.first, copy->run.count)) return Errno::acces;
  copy->page = file_page;
  copy->va = va;
  copy->next = first_;
  first_ = copy;
  ++count_;
  return copy.get();
}

}  // namespace guest
