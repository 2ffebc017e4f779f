// SkipList: nodes ordered by address, with search, insertion and removal in logarithmic time and a
// plain linked list at the bottom. That bottom list is what a monitor reads as a page table, which
// is why this is a skip list and no tree. A space may have thousands of extents, and a fault must
// not pay for them.
//
// Node provides: `std::uint64_t va` (its key), `height()` (1..max_height, fixed for its life) and
// `Node* next(level)`, `set_next(level, Node*)`. The list owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/heap/heap.h"

namespace guest {

/// What kind of memory the next node of a list is. Whoever has a great many gets no more before the
/// others are short.
constexpr HeapKind heap_kind_of_node(std::size_t nodes_so_far) {
  constexpr std::size_t many = 2048;
  return nodes_so_far < many ? HeapKind::mapping : HeapKind::crowd;
}

inline constexpr int skip_list_height = 8;  // a quarter reach each next level: good for 4^8 nodes

template <class Node>
class SkipList {
 public:
  [[nodiscard]] Node* first() const { return heads_[0]; }
  [[nodiscard]] std::size_t size() const { return size_; }

  /// The last node whose address is at most `va`, or nullptr.
  [[nodiscard]] Node* at_or_before(std::uint64_t va) const {
    Node* before = nullptr;
    for (int level = skip_list_height - 1; level >= 0; --level) {
      for (Node* next = next_of(before, level); next && next->va <= va;) {
        before = next;
        next = before->next(level);
      }
    }
    return before;
  }

  void insert(Node& node) {
    Node* before[skip_list_height];
    find_path(node.va, before);
    for (int level = 0; level < node.height(); ++level) {
      node.set_next(level, next_of(before[level], level));
      set_next_of(before[level], level, &node);
    }
    ++size_;
  }

  void erase(Node& node) {
    Node* before[skip_list_height];
    find_path(node.va, before);
    for (int level = 0; level < node.height(); ++level) {
      set_next_of(before[level], level, node.next(level));
    }
    --size_;
  }

  /// A height for the next node: level n+1 with probability 1/4 each (xorshift, no quality needed).
  int draw_height() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    int height = 1;
    for (std::uint32_t bits = random_; (bits & 3) == 0 && height < skip_list_height; bits >>= 2) {
      ++height;
    }
    return height;
  }

 private:
  Node* next_of(Node* node, int level) const { return node ? node->next(level) : heads_[level]; }
  void set_next_of(Node* node, int level, Node* next) {
    if (node) {
      node->set_next(level, next);
    } else {
      heads_[level] = next;
    }
  }
  /// For each level the last node before `va`; nullptr stands for the head.
  void find_path(std::uint64_t va, Node* (&before)[skip_list_height]) const {
    Node* node = nullptr;
    for (int level = skip_list_height - 1; level >= 0; --level) {
      for (Node* next = next_of(node, level); next && next->va < va;) {
        node = next;
        next = node->next(level);
      }
      before[level] = node;
    }
  }

  Node* heads_[skip_list_height] = {};
  std::size_t size_ = 0;
  std::uint32_t random_ = 0x9e3779b9;
};

}  // namespace guest
