// Share: what processes may have in common (clone's flags), held by one of them. Beside the
// references, which anything may hold for a moment, it counts the holders: whether another process
// works with the object is a fact of its own.
#pragma once

#include <cstdint>
#include <utility>

#include "guest/base/ref.h"

namespace guest {

class Sharable : public Counted {
 private:
  template <class T>
  friend class Share;
  std::uint32_t holders_ = 0;
};

template <class T>
class Share {
 public:
  Share() = default;
  Share(Ref<T> object) : object_(std::move(object)) {  // NOLINT(google-explicit-constructor)
    if (object_) ++object_->holders_;
  }
  Share(const Share& other) : Share(other.object_) {}
  Share(Share&& other) noexcept : object_(std::move(other.object_)) {}
  Share& operator=(Share other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Share() { reset(); }

  void reset() {
    if (object_) --object_->holders_;
    object_.reset();
  }
  /// Somebody else holds it, too.
  [[nodiscard]] bool shared() const { return object_ && object_->holders_ > 1; }
  T* get() const { return object_.get(); }
  T* operator->() const { return object_.get(); }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return static_cast<bool>(object_); }

 private:
  Ref<T> object_;
};

}  // namespace guest
