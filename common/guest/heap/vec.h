// Vec: a growable array whose growth can fail. Kernel memory is finite and nothing throws. What is
// kept for long says what kind of memory it takes (heap.h).
#pragma once

#include <cstddef>
#include <initializer_list>
#include <new>
#include <utility>

#include "guest/base/result.h"
#include "guest/heap/heap.h"

namespace guest {

template <class T>
class Vec {
 public:
  Vec() = default;
  explicit Vec(HeapKind kind) : kind_(kind) {}
  Vec(Vec&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        kind_(other.kind_) {}
  Vec& operator=(Vec&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(kind_, other.kind_);
    return *this;
  }
  Vec(const Vec&) = delete;
  Vec& operator=(const Vec&) = delete;
  ~Vec() {
    clear();
    heap_free(data_);
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }

  Result<> push(T value) {
    TRY(reserve_more(1));
    new (&data_[size_++]) T(std::move(value));
    return {};
  }
  Result<> insert(std::size_t at, T value) {
    TRY(push(std::move(value)));
    for (std::size_t i = size_ - 1; i > at; --i) std::swap(data_[i], data_[i - 1]);
    return {};
  }
  void erase(std::size_t at) {
    for (std::size_t i = at + 1; i < size_; ++i) data_[i - 1] = std::move(data_[i]);
    data_[--size_].~T();
  }
  void clear() {
    while (size_) data_[--size_].~T();
  }
  /// For so many elements more. Grows by a factor (a small one where memory is short): who appends
  /// again and again copies each element a few times, however many there will be.
  Result<> reserve_more(std::size_t count) {
    const std::size_t wanted = size_ + count;
    if (wanted <= capacity_) return {};
    for (std::size_t grown : {capacity_ ? 2 * capacity_ : 4, capacity_ + capacity_ / 8})
      if (reserve(wanted > grown ? wanted : grown).ok()) return {};
    return Errno::nomem;
  }
  Result<> reserve(std::size_t capacity) {
    if (capacity <= capacity_) return {};
    auto* fresh = static_cast<T*>(heap_allocate(capacity * sizeof(T), kind_));
    if (!fresh) return Errno::nomem;
    for (std::size_t i = 0; i < size_; ++i) {
      new (&fresh[i]) T(std::move(data_[i]));
      data_[i].~T();
    }
    heap_free(data_);
    data_ = fresh;
    capacity_ = capacity;
    return {};
  }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  HeapKind kind_ = HeapKind::kernel;
};

}  // namespace guest
