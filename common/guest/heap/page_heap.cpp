// PageHeap: see the header. Called through heap_allocate and operator new from everywhere in kernel
// mode; nothing pre-empts it.
#include "guest/heap/page_heap.h"

#include "guest/base/panic.h"

namespace guest {

namespace {

/// Size class by (bytes + 15) / 16.
struct ClassTable {
  std::uint8_t of[PageHeap::largest_small / 16 + 1] = {};
  constexpr ClassTable() {
    std::uint8_t size_class = 0;
    for (std::size_t i = 0; i < sizeof of; ++i) {
      if (i * 16 > PageHeap::class_bytes[size_class]) ++size_class;
      of[i] = size_class;
    }
  }
};
constexpr ClassTable class_table;

}  // namespace

void PageHeap::init(std::uintptr_t begin, std::uintptr_t end) {
  KERNEL_ASSERT(begin % page_bytes == 0 && end % page_bytes == 0 && begin < end);
  std::size_t total = (end - begin) / page_bytes;
  std::size_t table_pages = (total * sizeof(Page) + page_bytes - 1) / page_bytes;
  KERNEL_ASSERT(total < none && table_pages < total);
  pages_ = reinterpret_cast<Page*>(begin);
  base_ = begin + table_pages * page_bytes;
  page_count_ = static_cast<Index>(total - table_pages);
  free_runs_ = none;
  free_pages_ = 0;
  for (Index& head : with_room_) head = none;
  use_ = {.total = page_count_ * page_bytes, .used = 0, .peak = 0};
  give_run(0, page_count_);
}

void PageHeap::link(Index page, Index& head) {
  pages_[page].previous = none;
  pages_[page].next = head;
  if (head != none) pages_[head].previous = page;
  head = page;
}

void PageHeap::unlink(Index page, Index& head) {
  Page& info = pages_[page];
  (info.previous == none ? head : pages_[info.previous].next) = info.next;
  if (info.next != none) pages_[info.next].previous = info.previous;
}

void PageHeap::give_run(Index first, Index pages) {
  free_pages_ += pages;
  if (first > 0 && pages_[first - 1].kind == Kind::free) {
    Index left = pages_[first - 1].count;
    first = static_cast<Index>(first - left);
    pages = static_cast<Index>(pages + left);
    unlink(first, free_runs_);
  }
  std::size_t after = first + pages;
  if (after < page_count_ && pages_[after].kind == Kind::free) {
    unlink(static_cast<Index>(after), free_runs_);
    pages = static_cast<Index>(pages + pages_[after].count);
  }
  for (Index i = 0; i < pages; ++i) pages_[first + i].kind = Kind::free;
  pages_[first].count = pages_[first + pages - 1].count = pages;
  link(first, free_runs_);
}

PageHeap::Index PageHeap::take_run(std::size_t pages) {
  for (Index run = free_runs_; run != none; run = pages_[run].next) {
    if (pages_[run].count < pages) continue;
    Index rest = static_cast<Index>(pages_[run].count - pages);
    unlink(run, free_runs_);
    free_pages_ -= pages_[run].count;
    for (std::size_t i = 0; i < pages; ++i) pages_[run + i].kind = Kind::interior;
    if (rest) give_run(static_cast<Index>(run + pages), rest);
    pages_[run].count = static_cast<Index>(pages);
    return run;
  }
  return none;
}

void PageHeap::account(std::size_t bytes) {
  use_.used += bytes;
  if (use_.used > use_.peak) use_.peak = use_.used;
}

void* PageHeap::allocate_small(std::uint8_t size_class) {
  Index page = with_room_[size_class];
  if (page == none) {
    page = take_run(1);
    if (page == none) return nullptr;
    pages_[page] = {.kind = Kind::small,
                    .size_class = size_class,
                    .count = 0,
                    .previous = none,
                    .next = none,
                    .free_object = none,
                    .carved = 0};
    link(page, with_room_[size_class]);
  }
  Page& info = pages_[page];
  std::size_t bytes = class_bytes[size_class];
  Index object = info.free_object;
  if (object == none) {
    object = info.carved++;
  } else {
    info.free_object = *reinterpret_cast<Index*>(address(page) + object * bytes);
  }
  ++info.count;
  if (info.free_object == none && (info.carved + 1u) * bytes > page_bytes) {
    unlink(page, with_room_[size_class]);
  }
  account(bytes);
  return reinterpret_cast<void*>(address(page) + object * bytes);
}

void PageHeap::free_small(Index page, std::uintptr_t block) {
  Page& info = pages_[page];
  std::size_t bytes = class_bytes[info.size_class];
  std::size_t offset = block - address(page);
  KERNEL_ASSERT(offset % bytes == 0 && info.count > 0);
  bool was_full = info.free_object == none && (info.carved + 1u) * bytes > page_bytes;
  *reinterpret_cast<Index*>(block) = info.free_object;
  info.free_object = static_cast<Index>(offset / bytes);
  --info.count;
  use_.used -= bytes;
  Index& head = with_room_[info.size_class];
  if (was_full) link(page, head);
  // An empty page goes back, unless it is the last with room: the next allocation wants it.
  if (info.count == 0 && (info.previous != none || info.next != none)) {
    unlink(page, head);
    give_run(page, 1);
  }
}

bool PageHeap::may_hold(std::size_t bytes) const {
  if (free_bytes() >= bytes && free_pages_ != 0) return true;
  return bytes <= largest_small && with_room_[class_table.of[(bytes + 15) / 16]] != none;
}

void* PageHeap::allocate(std::size_t bytes) {
  if (bytes <= largest_small) return allocate_small(class_table.of[(bytes + 15) / 16]);
  if (bytes > page_count_ * page_bytes) return nullptr;
  Index run = take_run((bytes + page_bytes - 1) / page_bytes);
  if (run == none) return nullptr;
  pages_[run].kind = Kind::large;
  account(pages_[run].count * page_bytes);
  return reinterpret_cast<void*>(address(run));
}

void PageHeap::free(void* block) {
  if (!block) return;
  auto where = reinterpret_cast<std::uintptr_t>(block);
  KERNEL_ASSERT(holds(block));
  auto page = static_cast<Index>((where - base_) / page_bytes);
  if (pages_[page].kind == Kind::small) return free_small(page, where);
  KERNEL_ASSERT(pages_[page].kind == Kind::large && where % page_bytes == 0);
  use_.used -= pages_[page].count * page_bytes;
  give_run(page, pages_[page].count);
}

}  // namespace guest
