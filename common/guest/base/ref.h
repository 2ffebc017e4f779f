// Ref: intrusive reference counting. One guest CPU and no kernel pre-emption: a plain count.
#pragma once

#include <cstdint>
#include <utility>

namespace guest {

/// Base of shared kernel objects. The last Ref deletes it (through T's own destructor).
class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  void retain() { ++references_; }
  [[nodiscard]] bool release() { return --references_ == 0; }
  [[nodiscard]] std::uint32_t references() const { return references_; }

 protected:
  ~Counted() = default;

 private:
  std::uint32_t references_ = 0;
};

template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) {
    if (object_) object_->retain();
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
  Ref(const Ref<U>& other) : Ref(other.get()) {}  // NOLINT(google-explicit-constructor)
  template <class U>
  Ref(Ref<U>&& other) noexcept  // NOLINT(google-explicit-constructor)
      : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { reset(); }

  void reset() {
    T* object = std::exchange(object_, nullptr);
    if (object && object->release()) delete object;
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) { return a.object_ == b.object_; }

 private:
  template <class U>
  friend class Ref;
  T* object_ = nullptr;
};

}  // namespace guest
