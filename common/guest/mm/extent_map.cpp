// ExtentMap: see the header. Called by AddressSpace on every fault and by shared memory objects.
#include "guest/mm/extent_map.h"

#include <new>

#include "guest/heap/heap.h"

namespace guest {

namespace {

bool continues(const ExtentNode& left, const ExtentNode& right) {
  return left.end() == right.va && left.run().end() == right.frame &&
         left.protection == right.protection;
}

}  // namespace

ExtentMap::~ExtentMap() {
  for (ExtentNode* node = first(); node;) {
    ExtentNode* next = node->following();
    heap_free(node);
    node = next;
  }
}

ExtentNode* ExtentMap::make_node() {
  int height = list_.draw_height();
  void* memory = heap_allocate(sizeof(ExtentNode) + (height - 1) * sizeof(ExtentNode*),
                               heap_kind_of_node(size()));
  if (!memory) return nullptr;
  auto* node = new (memory) ExtentNode{};
  node->reserved = static_cast<std::uint32_t>(height);
  return node;
}

ExtentNode* ExtentMap::find(std::uint64_t va) const {
  ExtentNode* node = list_.at_or_before(va);
  return node && va < node->end() ? node : nullptr;
}

ExtentNode* ExtentMap::first_ending_after(std::uint64_t va) const {
  ExtentNode* node = list_.at_or_before(va);
  if (!node) return first();
  return va < node->end() ? node : node->following();
}

Result<> ExtentMap::add(std::uint64_t va, FrameRun run, std::uint32_t protection, std::uint64_t low,
                        std::uint64_t high) {
  ExtentNode* before = list_.at_or_before(va);
  if (before && before->end() == va && before->va >= low && before->protection == protection &&
      before->run().end() == run.first) {
    count(run);
    before->count += run.count;  // no node needed: the usual case when memory is touched in order
    join(*before, low, high);
    return {};
  }
  ExtentNode* node = make_node();
  if (!node) return Errno::nomem;
  count(run);
  node->va = va;
  node->frame = run.first;
  node->count = run.count;
  node->protection = protection;
  list_.insert(*node);
  join(*node, low, high);
  return {};
}

Result<> ExtentMap::split_at(std::uint64_t va) {
  ExtentNode* node = find(va);
  if (!node || node->va == va) return {};
  ExtentNode* right = make_node();
  if (!right) return Errno::nomem;
  const Frames left = frames_for(pages_between(node->va, va));
  right->va = va;
  right->frame = node->frame + left;
  right->count = node->count - left;
  right->protection = node->protection;
  node->count = left;
  list_.insert(*right);
  return {};
}

void ExtentMap::remove(ExtentNode& extent) {
  pages_ -= pages_of(extent.count);
  erase(extent);
}

void ExtentMap::erase(ExtentNode& extent) {
  list_.erase(extent);
  heap_free(&extent);
}

ExtentNode& ExtentMap::join(ExtentNode& extent, std::uint64_t low, std::uint64_t high) {
  ExtentNode* kept = &extent;
  if (kept->va > low) {
    ExtentNode* left = list_.at_or_before(kept->va - 1);
    if (left && left->va >= low && continues(*left, *kept)) {
      left->count += kept->count;
      erase(*kept);
      kept = left;
    }
  }
  ExtentNode* right = kept->following();
  if (right && right->end() <= high && continues(*kept, *right)) {
    kept->count += right->count;
    erase(*right);
  }
  return *kept;
}

void ExtentMap::rekey(ExtentNode& extent, std::uint64_t va) {
  list_.erase(extent);
  extent.va = va;
  list_.insert(extent);
}

}  // namespace guest
