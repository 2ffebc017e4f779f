// List: intrusive doubly linked list. A node is on one list at a time and must leave it before it
// dies; the list owns nothing.
#pragma once

namespace guest {

struct ListNode {
  ListNode* previous = nullptr;
  ListNode* next = nullptr;
  [[nodiscard]] bool linked() const { return next != nullptr; }
  void unlink() {
    if (!linked()) return;
    previous->next = next;
    next->previous = previous;
    previous = next = nullptr;
  }
};

/// A list of T through its ListNode member: `List<Thread, &Thread::run_node> queue;`
template <class T, ListNode T::*Node>
class List {
 public:
  constexpr List() { head_.previous = head_.next = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  [[nodiscard]] bool empty() const { return head_.next == &head_; }
  void push_back(T& item) { insert(item.*Node, *head_.previous); }
  void push_front(T& item) { insert(item.*Node, head_); }
  T* front() { return empty() ? nullptr : owner(head_.next); }
  T* pop_front() {
    T* first = front();
    if (first) (first->*Node).unlink();
    return first;
  }

  // -- Of an item that is on a list.
  static void insert_behind(T& item, T& added) { insert(added.*Node, item.*Node); }
  /// There must be one.
  static T* next(T& item) { return owner((item.*Node).next); }

  class Iterator {
   public:
    explicit Iterator(ListNode* node) : node_(node), next_(node->next) {}
    T& operator*() const { return *owner(node_); }
    // The successor was read before the body ran: a loop may unlink the item it holds.
    Iterator& operator++() {
      node_ = next_;
      next_ = node_->next;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return node_ != other.node_; }

   private:
    ListNode* node_;
    ListNode* next_;
  };
  Iterator begin() { return Iterator(head_.next); }
  Iterator end() { return Iterator(&head_); }

 private:
  static void insert(ListNode& node, ListNode& after) {
    node.previous = &after;
    node.next = after.next;
    after.next->previous = &node;
    after.next = &node;
  }
  static T* owner(ListNode* node) {
    alignas(T) static char probe[sizeof(T)];  // only its addresses are used
    auto* base = reinterpret_cast<T*>(probe);
    auto offset = reinterpret_cast<char*>(&(base->*Node)) - probe;
    return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
  }
  ListNode head_;
};

}  // namespace guest
